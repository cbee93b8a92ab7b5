import Synchronization

/// A value that tests on several threads share.
package final class Locked<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    package init(_ value: Value) { self.value = Mutex(value) }

    package func get() -> Value { value.withLock { $0 } }

    package func set(_ new: Value) { value.withLock { $0 = new } }

    package func update<Result: Sendable>(_ change: (inout Value) -> Result) -> Result { value.withLock { change(&$0) } }
}
