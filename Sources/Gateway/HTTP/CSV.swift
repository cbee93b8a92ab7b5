/// Comma-separated values (RFC 4180) that no spreadsheet takes for formulas.
enum CSV {
    /// One line, with its end. A cell that begins like a formula (OWASP, "CSV Injection") gets an apostrophe in front, which spreadsheets
    /// take for "this is text".
    static func row(_ cells: [String]) -> String { cells.map(cell).joined(separator: ",") + "\r\n" }

    private static func cell(_ text: String) -> String {
        let isFormula =
            text.unicodeScalars.first { !$0.properties.isWhitespace }.map { "=+-@＝＋－＠\t\r".unicodeScalars.contains($0) } ?? false
        let safe = isFormula ? "'" + text : text
        guard safe.contains(where: { ",\"\r\n;".contains($0) }) || safe != text || safe.first == " " else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}
