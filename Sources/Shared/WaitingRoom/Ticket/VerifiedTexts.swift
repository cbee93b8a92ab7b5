import Synchronization

/// Something signed and the text that its holder has.
protocol VerifiedText: AnyObject, Sendable {
    var text: String { get }
    /// Whether it was asked about since ``VerifiedTexts`` looked last.
    var isInUse: Atomic<Bool> { get }
}

/// The tickets or passes that were found good lately, by their text: whoever waits polls with the same one again and again, and checking it
/// would be a third of a poll. 65,536 at most, some 20 MB of tickets and 40 of passes, asked about in the last two minutes; of two that
/// would stand in one place the later stays.
final class VerifiedTexts<Known: VerifiedText>: Sendable {
    private struct State {
        var slots: [Known?]
        /// Where ``forgetUnused()`` goes on.
        var next = 0
    }

    private let places = 65_536
    private let placesAtOnce = 1024

    private let state: Mutex<State>
    /// Nobody else can tell which texts stand in one place.
    private let seed = UInt64.random(in: .min ... .max)

    init() { state = Mutex(State(slots: [Known?](repeating: nil, count: places))) }

    func find(_ text: UnsafeBufferPointer<UInt8>) -> Known? {
        let place = place(of: text)
        guard let known = state.withLock({ $0.slots[place] }) else { return nil }
        let isIt = known.text.utf8.withContiguousStorageIfAvailable { Self.areEqual($0, text) }
        guard isIt == true else { return nil }
        if !known.isInUse.load(ordering: .relaxed) { known.isInUse.store(true, ordering: .relaxed) }
        return known
    }

    func note(_ known: Known, _ text: UnsafeBufferPointer<UInt8>) {
        let place = place(of: text)
        state.withLock { $0.slots[place] = known }
    }

    /// Forgets those in a 64th of the places that nobody has asked about since it was there last.
    func forgetUnused() {
        // What goes is freed behind the lock.
        _ = state.withLock { state in
            let part = state.next..<state.next + placesAtOnce
            state.next = part.upperBound % places
            return part.compactMap { place -> Known? in
                guard let known = state.slots[place], !known.isInUse.exchange(false, ordering: .relaxed) else { return nil }
                state.slots[place] = nil
                return known
            }
        }
    }

    private func place(of text: UnsafeBufferPointer<UInt8>) -> Int {
        let bytes = UnsafeRawBufferPointer(text)
        var hash = seed
        var index = 0
        while index + 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
            index += 8
        }
        while index < bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x9E37_79B9_7F4A_7C15
            index += 1
        }
        return Int(truncatingIfNeeded: hash >> 32) & (places - 1)
    }

    /// Takes the same time wherever the two differ: one of them may be a guess.
    private static func areEqual(_ text: UnsafeBufferPointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count == other.count else { return false }
        let (text, other) = (UnsafeRawBufferPointer(text), UnsafeRawBufferPointer(other))
        var difference: UInt64 = 0
        var index = 0
        while index + 8 <= text.count {
            difference |=
                text.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < text.count {
            difference |= UInt64(text[index] ^ other[index])
            index += 1
        }
        return difference == 0
    }
}
