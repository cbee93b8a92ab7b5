// Replies of Redis: whatever comes is read or refused, the same however it is cut into pieces, and what was read is read again from its
// wire form.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReplies(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let whole = read([bytes])
    let middle = count / 2
    precondition(whole == read([.init(rebasing: bytes[..<middle]), .init(rebasing: bytes[middle...])]), "halves read otherwise")
    precondition(whole == read(bytes.indices.map { .init(rebasing: bytes[$0...$0]) }), "single bytes read otherwise")

    var wire: [UInt8] = []
    for value in whole.values { write(value, to: &wire) }
    wire.withUnsafeBytes { precondition(read([$0]).values == whole.values, "written and read again") }
    return 0
}

private struct Outcome: Equatable {
    var values: [RedisValue] = []
    var isRefused = false
}

private func read(_ pieces: [UnsafeRawBufferPointer]) -> Outcome {
    let reader = ReplyReader(maximumReplyBytes: 1 << 20)
    var outcome = Outcome()
    for piece in pieces where !outcome.isRefused {
        do { try reader.feed(piece) { outcome.values.append($0) } } catch { outcome.isRefused = true }
    }
    return outcome
}

private func write(_ value: RedisValue, to wire: inout [UInt8]) {
    switch value {
    case .null: wire += Array("$-1\r\n".utf8)
    case .integer(let number): wire += Array(":\(number)\r\n".utf8)
    case .status(let text): wire += Array("+\(text)\r\n".utf8)
    case .bulk(let bytes): wire += Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
    case .array(let values):
        wire += Array("*\(values.count)\r\n".utf8)
        for value in values { write(value, to: &wire) }
    case .error(let error): wire += Array("-\(error.code) \(error.message)\r\n".utf8)
    }
}
