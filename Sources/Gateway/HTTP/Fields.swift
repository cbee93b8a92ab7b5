import WaitingRoom

/// The fields of a body, form or query, read one by one. Each reader notes what is wrong and goes on, so that a client is told of
/// everything at once; ``check()`` then throws it.
struct Fields {
    /// `body` or `query`.
    let place: String
    private let value: JSON
    private(set) var problems: [GatewayError.Problem] = []

    init(place: String, value: JSON) {
        self.place = place
        self.value = value
    }

    /// The fields of one strict JSON object.
    /// - Throws: ``GatewayError`` 422.
    static func json(_ bytes: [UInt8]) throws -> Fields {
        do {
            let value = try JSONScanner.scan(bytes)
            guard case .object = value else {
                throw GatewayError.invalid([
                    .init(type: "model_attributes_type", location: ["body"], message: "Input should be a JSON object", input: value)
                ])
            }
            return Fields(place: "body", value: value)
        } catch let error as JSONError {
            var malformed = GatewayError.invalid([
                .init(
                    type: "json_invalid", location: ["body", .integer(error.offset)], message: "JSON decode error: \(error.reason)",
                    input: .object([]))
            ])
            malformed = GatewayError(
                status: malformed.status, code: "malformed_json", message: "Malformed JSON: \(error)", problems: malformed.problems)
            throw malformed
        }
    }

    /// Throws what the readers noted.
    func check() throws {
        if !problems.isEmpty { throw GatewayError.invalid(problems) }
    }

    /// Whether the field is there, null included.
    func has(_ name: String) -> Bool { value[name] != nil }

    /// The items of a field that is a list.
    func list(_ name: String) -> [JSON]? { value[name]?.array }

    func isNull(_ name: String) -> Bool { value[name] == .null }

    mutating func note(_ name: String, type: String, _ message: String) {
        problems.append(
            .init(
                type: type, location: [.string(place), .string(name)], message: message, input: Self.shown(value[name] ?? .null, of: name)))
    }

    /// A value as an error tells it back: clients write errors into their logs.
    private static func shown(_ value: JSON, of name: String) -> JSON {
        if ["password", "token", "pass"].contains(name) { return "********" }
        guard case .object(let members) = value else { return value }
        return .object(members.map { .init($0.key, shown($0.value, of: $0.key)) })
    }

    private mutating func missing(_ name: String) {
        problems.append(
            .init(
                type: "missing", location: [.string(place), .string(name)], message: "Field required",
                input: place == "body" ? Self.shown(value, of: "") : .null))
    }

    /// A required text of `length` characters without control or bidi-override characters. Noted and "" when it is not one.
    mutating func text(_ name: String, length: ClosedRange<Int> = 1...Int.max) -> String {
        guard value[name] != nil else {
            missing(name)
            return ""
        }
        return optionalText(name, length: length, null: false) ?? ""
    }

    /// An optional text; `nil` when it is absent, or null where `null` is allowed.
    mutating func optionalText(_ name: String, length: ClosedRange<Int> = 0...Int.max, null: Bool = true) -> String? {
        guard let field = value[name], !(null && field == .null) else { return nil }
        guard case .string(let text) = field else {
            note(name, type: "string_type", "Input should be a valid string")
            return nil
        }
        let count = text.unicodeScalars.count
        if count < length.lowerBound {
            note(
                name, type: "string_too_short",
                "String should have at least \(length.lowerBound) character\(length.lowerBound == 1 ? "" : "s")")
        } else if count > length.upperBound {
            note(name, type: "string_too_long", "String should have at most \(length.upperBound) characters")
        } else if !VisibleText.isPlain(text) {
            note(name, type: "string_pattern_mismatch", "String should not hold control or bidi-override characters")
        } else {
            return text
        }
        return nil
    }

    /// A whole number in `range`, written as a number or, in a query or form, as digits; `fallback` when absent.
    mutating func integer(_ name: String, _ range: ClosedRange<Int>, fallback: Int) -> Int {
        guard let number = number(name, Double(range.lowerBound)...Double(range.upperBound), fallback: Double(fallback)) else {
            return fallback
        }
        guard number == number.rounded() else {
            note(name, type: "int_from_float", "Input should be a valid integer, got a number with a fractional part")
            return fallback
        }
        return Int(number)
    }

    /// A number in `range`; `fallback` when absent, `nil` (and noted) when it is none.
    mutating func number(_ name: String, _ range: ClosedRange<Double>, fallback: Double?) -> Double? {
        let number: Double
        switch value[name] {
        case nil: return fallback
        case .integer(let integer): number = Double(integer)
        case .number(let double): number = double
        case .string(let text) where place != "body" && Double(text) != nil && !text.contains("x"): number = Double(text) ?? 0
        default:
            note(name, type: "int_parsing", "Input should be a valid number")
            return nil
        }
        if !(number >= range.lowerBound) {
            note(name, type: "greater_than_equal", "Input should be greater than or equal to \(Self.plain(range.lowerBound))")
            return nil
        }
        if number > range.upperBound {
            note(name, type: "less_than_equal", "Input should be less than or equal to \(Self.plain(range.upperBound))")
            return nil
        }
        return number
    }

    mutating func flag(_ name: String, fallback: Bool) -> Bool {
        switch value[name] {
        case nil: return fallback
        case .bool(let flag): return flag
        default:
            note(name, type: "bool_type", "Input should be a valid boolean")
            return fallback
        }
    }

    /// One of `choices`; `nil` when absent.
    mutating func choice(_ name: String, of choices: [String]) -> String? {
        guard let text = optionalText(name, null: false) else { return nil }
        guard choices.contains(text) else {
            note(name, type: "enum", "Input should be " + choices.map { "'\($0)'" }.joined(separator: ", "))
            return nil
        }
        return text
    }

    /// One of the cases of `Choice`; `nil` when absent.
    mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(_ name: String, of: Choice.Type) -> Choice? {
        choice(name, of: Choice.allCases.map(\.rawValue)).flatMap(Choice.init)
    }

    /// An absolute http(s) URL; `nil` when absent or null.
    mutating func optionalURL(_ name: String) -> String? {
        guard let text = optionalText(name, length: 1...2048) else { return nil }
        guard WebURL.isAbsolute(text) else {
            note(name, type: "url_parsing", "Input should be an absolute http or https URL")
            return nil
        }
        return text
    }

    /// A point in time; `nil` when absent or null.
    mutating func optionalTime(_ name: String) -> Timestamp? {
        guard let text = optionalText(name) else { return nil }
        guard let time = Timestamp(text) else {
            note(name, type: "datetime_parsing", "Input should be a time such as 2026-11-30T10:00:00Z, without a zone in UTC")
            return nil
        }
        return time
    }

    /// A required UUID; noted when it is none.
    mutating func identifier(_ name: String) -> Identifier? {
        guard value[name] != nil else {
            missing(name)
            return nil
        }
        return optionalIdentifier(name)
    }

    mutating func optionalIdentifier(_ name: String) -> Identifier? {
        guard let text = optionalText(name, null: false) else { return nil }
        guard let id = Identifier(uuid: text) else {
            note(name, type: "uuid_parsing", "Input should be a valid UUID")
            return nil
        }
        return id
    }

    /// A slug: 1 to 64 of `A-Z a-z 0-9 . _ -`, not `queues`, `.` or `..`; `nil` when absent or null.
    mutating func optionalSlug(_ name: String) -> String? {
        guard let text = optionalText(name) else { return nil }
        guard Slug.isValid(text) else {
            note(name, type: "string_pattern_mismatch", "String should be 1 to 64 of A-Z a-z 0-9 . _ - and not 'queues', '.' or '..'")
            return nil
        }
        return text
    }

    /// An optional list of texts.
    mutating func optionalTexts(_ name: String, most: Int, length: ClosedRange<Int>) -> [String]? {
        guard let field = value[name] else { return nil }
        guard let items = field.array, items.count <= most else {
            note(name, type: "list_type", "Input should be a list of at most \(most) strings")
            return nil
        }
        var texts: [String] = []
        for item in items {
            guard case .string(let text) = item, length.contains(text.unicodeScalars.count), VisibleText.isPlain(text) else {
                note(name, type: "string_type", "Every item should be a string of \(length.lowerBound) to \(length.upperBound) characters")
                return nil
            }
            texts.append(text)
        }
        return texts
    }

    private static func plain(_ number: Double) -> String { number == number.rounded() ? String(Int(number)) : "\(number)" }
}
