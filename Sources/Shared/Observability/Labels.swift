/// The labels of one series as they are written between the braces, sorted by name. Compared as bytes: Swift takes the two spellings of "é"
/// for equal, Prometheus does not.
struct Labels: Hashable {
    private let utf8: [UInt8]

    var text: String { String(decoding: utf8, as: UTF8.self) }

    /// Names that Prometheus would refuse are mended; of labels with one name the first stays.
    init(_ dimensions: [(String, String)]) {
        var values: [String: String] = [:]
        for (name, value) in dimensions {
            let mended = mendedName(name, allowingColon: false)
            // `le` is the bound of a histogram's bucket.
            let key = mended == "le" ? "le_" : mended
            if values[key] == nil { values[key] = escapedText(value, quotes: true) }
        }
        utf8 = Array(values.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",").utf8)
    }

    static func precedes(_ left: Labels, _ right: Labels) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }
}

/// `name` with an underscore for each character that the name of a metric or a label cannot hold, and before a leading digit (Prometheus
/// manual, "Data model"). Only names of metrics hold colons.
func mendedName(_ name: String, allowingColon: Bool) -> String {
    func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"): true
        default: allowingColon && byte == UInt8(ascii: ":")
        }
    }
    let startsWell = name.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    if startsWell, name.utf8.allSatisfy(isAllowed) { return name }
    let mended = String(decoding: name.utf8.map { isAllowed($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    return startsWell ? mended : "_" + mended
}

/// `text` as a label's value, or without `quotes` as a help text. Goes by scalars, for `"\r\n"` and a quote with an accent are each one
/// `Character`.
func escapedText(_ text: String, quotes: Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
        case "\n": result.append(contentsOf: "\\n".unicodeScalars)
        case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
        default: result.append(scalar)
        }
    }
    return String(result)
}
