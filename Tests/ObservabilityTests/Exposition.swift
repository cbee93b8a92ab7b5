/// A page in Prometheus's text format, read strictly after the Prometheus manual, "Exposition formats": what the page may not say throws.
struct Exposition {
    struct Sample: Hashable {
        let name: String
        let labels: [String: String]
    }

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var kinds: [String: String] = [:]
    private(set) var help: [String: String] = [:]
    private(set) var values: [Sample: Double] = [:]
    /// The samples in the order of the page.
    private(set) var order: [Sample] = []
    /// The metrics in the order of the page.
    private(set) var families: [String] = []

    init(_ page: String) throws {
        guard page.isEmpty || page.unicodeScalars.last == "\n" else { throw Malformed(description: "the last line is not ended") }
        for line in page.unicodeScalars.split(separator: "\n") {
            try line.first == "#" ? readComment(String(line)) : readSample(line)
        }
    }

    subscript(_ name: String, _ labels: [String: String] = [:]) -> Double? { values[Sample(name: name, labels: labels)] }

    private mutating func readComment(_ line: String) throws {
        let words = line.split(separator: " ", maxSplits: 3).map(String.init)
        guard words.count == 4 else { throw Malformed(description: line) }
        switch words[1] {
        case "HELP": guard help.updateValue(words[3], forKey: words[2]) == nil else { throw Malformed(description: "second \(line)") }
        case "TYPE":
            guard kinds.updateValue(words[3], forKey: words[2]) == nil else { throw Malformed(description: "second \(line)") }
            families.append(words[2])
        default: throw Malformed(description: line)
        }
    }

    private mutating func readSample(_ line: Substring.UnicodeScalarView) throws {
        var reader = Reader(rest: line)
        let name = try reader.name(allowingColon: true)
        let labels = try reader.labels()
        guard reader.take(" "), let value = Double(String(reader.rest).lowercased().replacing("+inf", with: "inf")) else {
            throw Malformed(description: "no value: \(String(line))")
        }
        let family = families.last ?? ""
        let suffixes = kinds[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { name == family + $0 }) else { throw Malformed(description: "out of its family: \(String(line))") }
        let sample = Sample(name: name, labels: labels)
        guard values.updateValue(value, forKey: sample) == nil else { throw Malformed(description: "twice: \(String(line))") }
        order.append(sample)
    }
}

private struct Reader {
    var rest: Substring.UnicodeScalarView

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    mutating func name(allowingColon: Bool) throws -> String {
        let name = rest.prefix { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": true
            case ":": allowingColon
            default: false
            }
        }
        guard let first = name.first, !("0"..."9").contains(first) else {
            throw Exposition.Malformed(description: "no name: \(String(rest))")
        }
        rest = rest[name.endIndex...]
        return String(name)
    }

    mutating func labels() throws -> [String: String] {
        var labels: [String: String] = [:]
        guard take("{") else { return labels }
        repeat {
            let name = try name(allowingColon: false)
            guard take("="), take("\"") else { throw Exposition.Malformed(description: "no label value: \(String(rest))") }
            guard labels.updateValue(try value(), forKey: name) == nil else { throw Exposition.Malformed(description: "second \(name)") }
        } while take(",")
        guard take("}") else { throw Exposition.Malformed(description: "braces left open: \(String(rest))") }
        return labels
    }

    private mutating func value() throws -> String {
        var value = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(value)
            case "\\":
                switch rest.popFirst() {
                case "\\": value.append("\\")
                case "\"": value.append("\"")
                case "n": value.append("\n")
                default: throw Exposition.Malformed(description: "unknown escape before \(String(rest))")
                }
            default: value.append(scalar)
            }
        }
        throw Exposition.Malformed(description: "label value left open")
    }
}
