/// Hears what a client does, for metrics. Called on event loops: it must be quick.
package protocol RedisObserver: Sendable {
    /// A command is over.
    /// - Parameters:
    ///   - name: the command's name; never its arguments.
    ///   - outcome: `ok`, or ``RedisError/outcome``.
    ///   - nanoseconds: from its turn of the event loop to its reply or failure.
    func commandFinished(name: String, outcome: String, nanoseconds: UInt64)

    /// The number of connections that are ready has changed.
    func connectionsChanged(ready: Int)
}
