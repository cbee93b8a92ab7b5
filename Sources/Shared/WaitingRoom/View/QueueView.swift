/// How a line stood a moment ago, as `view-5.lua` tells it: enough to tell everybody's place.
///
/// Places are exact for the first ``front``; behind them they are never too small, and too large by 1/128 of the distance at most and by
/// the part of it that nobody stands at any more. From view to view no place rises: each is the least of bounds of which every later view
/// has the same or better ones.
package final class QueueView: Sendable {
    /// How many places are exact.
    package static let front = 1000

    /// Names the state that is shown; two views with the same one are the same.
    package let id: Int64
    /// How many wait.
    package let waiting: Int
    /// The queue's counter: the highest sequence number given.
    let sequence: Int64
    /// What Redis has lost (`loss_state` of `loss.lua`), with the ms of its clock when that was found out; 0 for never.
    let letInThrough: Int64
    let lostFrom: Int64
    let lostHighest: Int64
    let lostThrough: Int64
    let lostAt: Int64
    /// How many are inside, and how the line has moved.
    let active: Int
    let flow: Forecast.Flow
    /// Whether lots were drawn still, by Redis's clock: whoever came then may stand before anybody, so that no place is told from it.
    package let isDrawing: Bool

    private struct Run {
        let first: Int64
        let count: Int64
        /// How many stand before it.
        let before: Int
    }

    private struct Rank {
        let sequence: Int64
        /// How many stand at the number or before it.
        let people: Int
    }

    /// The sequence number of the first in line; `nil` when nobody waits.
    var first: Int64? { runs.first?.first }

    private let runs: [Run]
    /// Begins with the last of the front.
    private let ranks: [Rank]

    /// - Returns: `nil` when the text is not a view.
    init?(id: Int64, text: [UInt8]) {
        guard let parts = Self.numbers(text), parts.count >= 3, parts[0].count == 13, parts.dropFirst().allSatisfy({ $0.count % 2 == 0 })
        else { return nil }
        self.id = id
        waiting = Int(parts[0][0])
        sequence = parts[0][1]
        letInThrough = parts[0][2]
        lostFrom = parts[0][3]
        lostHighest = parts[0][4]
        lostThrough = parts[0][5]
        lostAt = parts[0][6]
        active = Int(parts[0][7])
        flow = Forecast.Flow(parts[0][8..<12])
        isDrawing = parts[0][12] == 1
        var before = 0
        runs = stride(from: 0, to: parts[1].count, by: 2).map { index in
            defer { before += Int(parts[1][index + 1]) }
            return Run(first: parts[1][index], count: parts[1][index + 1], before: before)
        }
        let last = runs.last.map { $0.first + $0.count - 1 } ?? sequence
        var ranks = [Rank(sequence: last, people: before)]
        for (number, part) in parts.dropFirst(2).enumerated() where !part.isEmpty {
            // Further back than the first part, all but the first number of each tell how many more.
            let base = number == 0 ? 0 : Int(part[1])
            for index in stride(from: 0, to: part.count, by: 2) {
                ranks.append(Rank(sequence: part[index], people: Int(part[index + 1]) + (index == 0 ? 0 : base)))
            }
        }
        self.ranks = ranks
    }

    /// The whole numbers between blanks, of each part between semicolons.
    private static func numbers(_ text: [UInt8]) -> [[Int64]]? {
        var parts: [[Int64]] = [[]]
        var number: Int64?
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let (tens, isTooLarge) = (number ?? 0).multipliedReportingOverflow(by: 10)
                let (next, isAlsoTooLarge) = tens.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
                if isTooLarge || isAlsoTooLarge { return nil }
                number = next
            case UInt8(ascii: " "), UInt8(ascii: ";"):
                if let number { parts[parts.count - 1].append(number) }
                number = nil
                if byte == UInt8(ascii: ";") { parts.append([]) }
            default: return nil
            }
        }
        if let number { parts[parts.count - 1].append(number) }
        return parts
    }

    /// The place of the holder of a sequence number, 1 = next.
    /// - Returns: `nil` when nobody with that number waits. Behind the exact places it is told of anybody: whether they still wait is not known
    ///   here.
    package func place(_ sequence: Int64) -> Int? {
        if sequence <= ranks[0].sequence {
            let index = runs.partitioningIndex { $0.first > sequence } - 1
            guard index >= 0, sequence < runs[index].first + runs[index].count else { return nil }
            return runs[index].before + Int(sequence - runs[index].first) + 1
        }
        if sequence > self.sequence {
            // The next view has it among the exact ones.
            let place = waiting + Int(sequence - self.sequence)
            if place <= Self.front { return place }
        } else if waiting < Self.front {
            return nil
        }
        let next = ranks.partitioningIndex { $0.sequence > sequence }
        let bound = ranks[next - 1].people + Int(sequence - ranks[next - 1].sequence)
        return next < ranks.count ? min(bound, ranks[next].people) : bound
    }
}

extension Array {
    /// The index of the first element for which `isBeyond` holds; it holds for all that follow.
    fileprivate func partitioningIndex(where isBeyond: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
