/// Waits until `condition` holds, looking every few milliseconds.
/// - Throws: ``TimedOut`` when it does not within `limit`.
package func eventually(_ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// What ``eventually(_:within:_:)`` waited for in vain.
package struct TimedOut: Error, CustomStringConvertible {
    let what: String

    package var description: String { "timed out waiting until \(what)" }
}
