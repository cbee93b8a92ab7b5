import WaitingRoom

extension Fields {
    /// A rate, in people a minute; `nil` when absent, or noted when it is none.
    mutating func rate(_ name: String) -> Double? {
        guard let rate = number(name, 0...Queue.rates.upperBound, fallback: nil) else { return nil }
        guard rate == 0 || rate >= Queue.rates.lowerBound else {
            note(name, type: "greater_than_equal", "Input should be 0, or greater than or equal to \(Queue.rates.lowerBound)")
            return nil
        }
        return rate
    }

    /// The same, where null says that there is none.
    mutating func optionalRate(_ name: String) -> Double? { isNull(name) ? nil : rate(name) }
}
