// Requests as connections bring them: what is read as a plain request is the same however much of what follows it is there, its parts lie
// within its head, and the body of a join read by hand means what the JSON scanner finds in it.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequests(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    checkRequest(bytes)
    checkJoin(bytes)
    return 0
}

private func checkRequest(_ bytes: UnsafeBufferPointer<UInt8>) {
    let whole = PlainRequest.read(bytes)
    if case .request(let request) = whole {
        precondition(request.headLength <= bytes.count && bytes[..<request.headLength].suffix(4).elementsEqual("\r\n\r\n".utf8), "no end")
        for part in [request.target, request.contentType, request.key, request.idempotencyKey, request.forwardedFor] {
            precondition(part.map { $0.upperBound <= request.headLength } ?? true, "a part outside of the head")
        }
    }
    for end in 0..<bytes.count {
        // A copy, so that reading one byte too far is seen.
        let isAsExpected = Array(bytes[..<end]).withUnsafeBufferPointer { start in
            switch (PlainRequest.read(start), whole) {
            case (.incomplete, .request(let request)): end < request.headLength
            case (.incomplete, _), (.unusual, .unusual): true
            case (.request(let early), .request(let late)): early.headLength == late.headLength && early.length == late.length
            case (_, _): false
            }
        }
        precondition(isAsExpected, "read otherwise with \(end) bytes")
    }
}

private func checkJoin(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let join = PlainJoin(bytes) else { return }
    guard let value = try? JSONScanner.scan(Array(bytes)), case .object(let members) = value, members.count == 2,
        case .string(let queue)? = value["queue_id"], case .string(let visitor)? = value["visitor_id"]
    else { preconditionFailure("not an object of these two") }
    precondition(Identifier(uuid: queue) == join.queue && visitor == join.visitor, "other values")
}
