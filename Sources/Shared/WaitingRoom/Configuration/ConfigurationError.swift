/// A variable that holds what it must not: one line that names it, what it holds and what is expected.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let variable: String
    package let description: String

    /// `held` is shown unless the variable is a secret.
    init(_ variable: String, held: String?, expected: String) {
        self.variable = variable
        let isSecret = ConfigurationVariable.all.first { $0.name == variable }?.isSecret ?? true
        let shown =
            switch held {
            case nil: "is not set"
            case "": "is empty"
            case .some(let value): isSecret ? "holds a secret of \(value.count) characters" : "holds \"\(value.prefix(80))\""
            }
        description = "\(variable) \(shown); expected \(expected)"
    }

    /// - Parameter description: what is wrong with what the variable holds.
    init(_ variable: String, description: String) {
        self.variable = variable
        self.description = "\(variable) \(description)"
    }
}

/// The exit code of a program whose configuration is wrong (EX_CONFIG, sysexits.h).
package let configurationExitCode: Int32 = 78
