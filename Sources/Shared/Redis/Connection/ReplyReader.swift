import CHiredis

/// hiredis's incremental reader, building Swift values directly: its functions for making reply objects append to ``Assembly``, and no
/// `redisReply` is ever made.
///
/// Not `Sendable`: it belongs to one connection's event loop.
final class ReplyReader {
    enum Failure: Error, CustomStringConvertible {
        case notRESP(String)
        case tooLarge

        var description: String {
            switch self {
            case .notRESP(let reason): reason
            case .tooLarge: "a reply is larger than allowed"
            }
        }
    }

    /// hiredis moves the unread rest of its buffer once per KiB consumed, so it is fed in slices.
    private static let slice = 16 * 1024

    private let reader: UnsafeMutablePointer<redisReader>
    private let assembly: UnsafeMutablePointer<Assembly>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let maximumReplyBytes: Int
    /// Bytes fed since the last whole reply.
    private var unfinishedBytes = 0

    init(maximumReplyBytes: Int) {
        self.maximumReplyBytes = maximumReplyBytes
        functions = .allocate(capacity: 1)
        functions.initialize(to: Assembly.functions)
        assembly = .allocate(capacity: 1)
        assembly.initialize(to: Assembly())
        reader = redisReaderCreateWithFunctions(functions)
        reader.pointee.privdata = UnsafeMutableRawPointer(assembly)
    }

    deinit {
        redisReaderFree(reader)
        assembly.deinitialize(count: 1)
        assembly.deallocate()
        functions.deallocate()
    }

    /// Reads `bytes` and hands every reply that they complete to `body`, in order.
    func feed(_ bytes: UnsafeRawBufferPointer, _ body: (RedisValue) -> Void) throws(Failure) {
        var offset = 0
        while offset < bytes.count {
            let count = min(Self.slice, bytes.count - offset)
            guard let base = bytes.baseAddress,
                redisReaderFeed(reader, (base + offset).assumingMemoryBound(to: CChar.self), count) == REDIS_OK
            else { throw failure() }
            offset += count
            unfinishedBytes += count
            while true {
                var object: UnsafeMutableRawPointer?
                guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw failure() }
                guard object != nil, let value = assembly.pointee.take() else { break }
                unfinishedBytes = 0
                body(value)
            }
            if unfinishedBytes + assembly.pointee.bytes > maximumReplyBytes { throw .tooLarge }
        }
    }

    private func failure() -> Failure {
        .notRESP(withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
}

/// The value under construction. hiredis makes objects depth first, an array before its elements.
private struct Assembly {
    private struct Open {
        var values: [RedisValue]
        let count: Int
    }

    private var open: [Open] = []
    private var whole: RedisValue?
    /// What the values so far take in memory besides their texts: on the wire a value may be much smaller.
    private(set) var bytes = 0

    mutating func take() -> RedisValue? {
        defer {
            whole = nil
            bytes = 0
        }
        return whole
    }

    mutating func begin(_ count: Int) {
        if count <= 0 { return add(.array([])) }
        var values: [RedisValue] = []
        // The count is the server's word: no more is set aside than a script of ours would answer.
        values.reserveCapacity(min(count, 64))
        open.append(Open(values: values, count: count))
    }

    mutating func add(_ value: RedisValue) {
        bytes += MemoryLayout<RedisValue>.stride
        var value = value
        while let last = open.indices.last {
            open[last].values.append(value)
            guard open[last].values.count == open[last].count else { return }
            value = .array(open.removeLast().values)
        }
        whole = value
    }

    /// - Returns: what hiredis keeps as "the object": it only asks whether that is NULL.
    private static func with(_ task: UnsafePointer<redisReadTask>?, _ change: (inout Assembly) -> Void) -> UnsafeMutableRawPointer? {
        guard let assembly = task?.pointee.privdata else { return nil }
        change(&assembly.assumingMemoryBound(to: Assembly.self).pointee)
        return assembly
    }

    static var functions: redisReplyObjectFunctions {
        redisReplyObjectFunctions(
            createString: { task, text, length in
                let bytes = UnsafeRawBufferPointer(start: text, count: length)
                let value: RedisValue =
                    switch task?.pointee.type {
                    case REDIS_REPLY_ERROR: .error(RedisServerError(String(decoding: bytes, as: UTF8.self)))
                    case REDIS_REPLY_STATUS: .status(String(decoding: bytes, as: UTF8.self))
                    default: .bulk(Array(bytes))
                    }
                return Assembly.with(task) { $0.add(value) }
            },
            createArray: { task, count in Assembly.with(task) { $0.begin(Int(count)) } },
            createInteger: { task, value in Assembly.with(task) { $0.add(.integer(Int64(value))) } },
            createNil: { task in Assembly.with(task) { $0.add(.null) } },
            freeObject: { _ in })
    }
}
