import Glibc
import NIOCore
import WaitingRoom

/// A gate check of somebody whose pass was found good lately, told from memory.
extension HotRoutes {
    /// Answers a gate check; `false` when it is not the usual one: it takes a cookie with one pass, good, not revoked and not to be renewed
    /// yet.
    func gate(_ request: PlainRequest) -> Bool {
        let (started, now) = (NIODeadline.now(), Timestamp.now())
        guard !request.isSpecial, let cookie = request.cookie, !mentionsPass(request.originalURI), let queue = gateQueue(request.target),
            let pass = pass(in: cookie, at: now), pass.queue == queue.queue.id, pass.tenant == queue.queue.tenant,
            !queue.isRenewalDue(of: pass, at: now),
            room.revocations.remembered(pass) == false
        else { return false }
        let number = owe()
        room.metrics.hotGates.succeeded(since: started)
        answer(number, HotAnswer.through(pass))
        return true
    }

    /// The queue of `/gate/<id>`, also with `?clean=true`, which means nothing where the pass is in a cookie.
    private func gateQueue(_ target: Range<Int>) -> RememberedQueue? {
        let start = target.lowerBound + Self.gatePrefix.utf8CodeUnitCount
        let end = start + Identifier.textLength
        guard end <= target.upperBound, end == target.upperBound || equals("?clean=true", at: end..<target.upperBound) else { return nil }
        let id = unread.withUnsafeReadableBytes {
            Identifier(uuid: UnsafeBufferPointer(rebasing: $0.assumingMemoryBound(to: UInt8.self)[start..<end]))
        }
        guard let id, case .some(.some(let queue)) = room.queues.remembered(id) else { return nil }
        return queue
    }

    private func mentionsPass(_ range: Range<Int>?) -> Bool {
        guard let range else { return false }
        return unread.withUnsafeReadableBytes { find("queue_pass=", in: $0[range]) != nil }
    }

    /// The pass in the only cookie that can be one.
    private func pass(in range: Range<Int>, at now: Timestamp) -> Pass? {
        unread.withUnsafeReadableBytes { bytes in
            let cookie = bytes[range]
            guard let name = find("queue_pass", in: cookie) else { return nil }
            let isFirst = name == cookie.startIndex || bytes[name - 1] == UInt8(ascii: " ") || bytes[name - 1] == UInt8(ascii: ";")
            let start = name + 11
            guard isFirst, start < cookie.endIndex, bytes[start - 1] == UInt8(ascii: "=") else { return nil }
            let base = bytes.baseAddress!
            let end =
                memchr(base + start, Int32(UInt8(ascii: ";")), cookie.endIndex - start).map { UnsafeRawPointer($0) - base }
                ?? cookie.endIndex
            guard find("queue_pass", in: cookie[end...]) == nil else { return nil }
            return room.passes.known(
                UnsafeBufferPointer(rebasing: bytes.assumingMemoryBound(to: UInt8.self)[start..<end]), at: now)
        }
    }

    /// Where a text begins.
    private func find(_ text: StaticString, in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let base = bytes.base.baseAddress else { return nil }
        let (length, first) = (text.utf8CodeUnitCount, Int32(text.utf8Start[0]))
        var start = bytes.startIndex
        while start + length <= bytes.endIndex, let found = memchr(base + start, first, bytes.endIndex - length + 1 - start) {
            start = UnsafeRawPointer(found) - base
            if memcmp(found, text.utf8Start, length) == 0 { return start }
            start += 1
        }
        return nil
    }
}

extension RememberedQueue {
    /// Whether a pass is to be renewed now: a quarter of its session has gone by, or more.
    func isRenewalDue(of pass: Pass, at now: Timestamp = .now()) -> Bool {
        queue.renewsSessions && pass.expires < now.adding(milliseconds: Int64(queue.sessionSeconds) * 750)
    }
}
