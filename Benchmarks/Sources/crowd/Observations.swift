import Load
import NIOCore

/// What all visitors saw.
struct Observations {
    var joined = 0
    var present = 0
    var released = 0
    var left = 0
    var fellSilent = 0
    /// Those told that their place is gone though they had kept polling.
    var lost = 0

    var requests = 0
    var joinLatency = Latencies()
    var pollLatency = Latencies()
    /// How much later than planned this program itself got round to a request.
    var lateness = Latencies()
    /// Answers that were no success, by status; 0 for none at all.
    var failures: [Int: Int] = [:]

    /// Polls that told a higher place than the one before.
    var rises = 0
    var highestRise = 0

    /// By second of the run: whom the service let in then, by its own account.
    var letIn: [Int] = []
    /// Seconds.
    var waits: [Double] = []
    /// Seconds that were left when a poll was answered, and what it told.
    var estimates: [(left: Double, told: Double)] = []

    mutating func letIn(atSecond second: Int) {
        while letIn.count <= second { letIn.append(0) }
        letIn[max(second, 0)] += 1
    }
}
