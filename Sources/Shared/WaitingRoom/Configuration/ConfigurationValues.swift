import Configuration
import Foundation

/// Reads single variables and says clearly what is wrong with them.
struct ConfigurationValues {
    let reader: ConfigReader

    /// The variable's text; `nil` when it is not set or empty.
    func text(_ variable: String) -> String? {
        let key = ConfigKey(variable.lowercased().split(separator: "_").map(String.init))
        return reader.string(forKey: key).flatMap { $0.isEmpty ? nil : $0 }
    }

    func text(_ variable: String, required: Bool, expected: String) throws -> String? {
        guard let text = text(variable) else {
            if required { throw ConfigurationError(variable, held: nil, expected: "\(expected) (APP_ENV is production)") }
            return nil
        }
        return text
    }

    func list(_ variable: String) -> [String] {
        (text(variable) ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    func optionalInteger(_ variable: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let text = text(variable) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw ConfigurationError(variable, held: text, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func integer(_ variable: String, _ range: ClosedRange<Int>, fallback: Int) throws -> Int {
        try optionalInteger(variable, range) ?? fallback
    }

    func number(_ variable: String, above minimum: Int, atMost maximum: Int, fallback: Double) throws -> Double {
        guard let text = text(variable) else { return fallback }
        guard let value = Double(text), value > Double(minimum), value <= Double(maximum) else {
            throw ConfigurationError(variable, held: text, expected: "a number above \(minimum), \(maximum) at most")
        }
        return value
    }

    func flag(_ variable: String, fallback: Bool) throws -> Bool {
        try choice(variable, of: ["true", "false"], fallback: fallback ? "true" : "false") == "true"
    }

    func choice(_ variable: String, of choices: [String], fallback: String) throws -> String {
        guard let text = text(variable) else { return fallback }
        guard choices.contains(text) else {
            throw ConfigurationError(variable, held: text, expected: choices.joined(separator: ", "))
        }
        return text
    }

    /// An absolute http(s) URL without a trailing slash.
    func url(_ variable: String) throws -> String? {
        guard let text = text(variable) else { return nil }
        guard WebURL.isAbsolute(text) else { throw ConfigurationError(variable, held: text, expected: "an absolute http or https URL") }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}
