import Testing
import WaitingRoom

/// Judges the releases of one queue by what Redis kept of them: order, doubles and rate in every window.
struct ReleaseHistory {
    /// In the order in which they were let in.
    let released: [Entry]

    /// - Parameter entries: those of one queue that were let in.
    init(_ entries: [Entry]) {
        released = entries.sorted { ($0.finished!, $0.sequence) < ($1.finished!, $1.sequence) }
    }

    /// I3: nobody passed someone who joined earlier.
    var isInOrder: Bool { zip(released, released.dropFirst()).allSatisfy { $0.sequence < $1.sequence } }

    /// I1: nobody was let in twice.
    var hasDoubles: Bool { Set(released.map(\.id)).count != released.count }

    /// I2: the most that any window was over rate · window + burst; 0 or less when none was.
    func excess(ratePerMinute: Double) -> Double {
        let burst = max(1, ratePerMinute / 60)
        var worst = -Double.infinity
        for first in released.indices {
            for last in first..<released.count {
                // Times are whole milliseconds: a window may be up to one longer than it looks.
                let window = Double(released[last].finished!.milliseconds - released[first].finished!.milliseconds + 1) / 1000
                worst = max(worst, Double(last - first + 1) - (ratePerMinute / 60 * window + burst))
            }
        }
        return worst
    }
}
