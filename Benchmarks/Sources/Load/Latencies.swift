package import NIOCore

/// How long answers took, within a sixteenth of each value.
package struct Latencies {
    private var counts = [Int](repeating: 0, count: 64 * 16)
    package private(set) var count = 0

    package init() {}

    package mutating func add(_ time: TimeAmount) {
        let value = UInt64(max(time.nanoseconds / 1000, 1))
        counts[Self.bucket(value)] += 1
        count += 1
    }

    /// Milliseconds within which the given share of answers came; 0 when there were none.
    package func milliseconds(_ share: Double) -> Double {
        var left = Int((Double(count) * share).rounded(.up))
        for (bucket, number) in counts.enumerated() where number > 0 {
            left -= number
            if left <= 0 { return Double(Self.upperBound(bucket)) / 1000 }
        }
        return 0
    }

    /// Sixteen buckets for each power of two.
    private static func bucket(_ value: UInt64) -> Int {
        let exponent = 63 - value.leadingZeroBitCount
        guard exponent >= 4 else { return Int(value) }
        return (exponent - 3) * 16 + Int((value >> UInt64(exponent - 4)) & 15)
    }

    private static func upperBound(_ bucket: Int) -> UInt64 {
        guard bucket >= 16 else { return UInt64(bucket) }
        let exponent = UInt64(bucket / 16 + 3)
        return (UInt64(16 + bucket % 16) + 1) << (exponent - 4)
    }
}
