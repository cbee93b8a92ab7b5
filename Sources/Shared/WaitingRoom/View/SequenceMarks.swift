/// A small mark for each sequence number, 0 where there is none: some two bytes a person where numbers follow each other, a hundred where
/// they are drawn by lot.
struct SequenceMarks {
    private static let chunk: Int64 = 64

    private var chunks: [Int64: [UInt8]] = [:]

    subscript(_ sequence: Int64) -> UInt8 {
        get { chunks[sequence / Self.chunk]?[Int(sequence % Self.chunk)] ?? 0 }
        set {
            chunks[sequence / Self.chunk, default: [UInt8](repeating: 0, count: Int(Self.chunk))][Int(sequence % Self.chunk)] = newValue
        }
    }

    mutating func removeAll() { chunks = [:] }

    /// Forgets numbers well before `sequence`.
    mutating func removeAll(before sequence: Int64) {
        let first = sequence / Self.chunk
        if chunks.keys.contains(where: { $0 < first }) { chunks = chunks.filter { $0.key >= first } }
    }
}
