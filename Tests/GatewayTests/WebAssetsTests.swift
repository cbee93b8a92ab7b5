import Foundation
import Testing

@testable import Gateway

@Suite("Words and scripts of the pages")
struct WebAssetsTests {
    private static let pluralForms = ["_zero", "_one", "_two", "_few", "_many", "_other"]

    /// The key without the form of a plural: languages differ in those they have.
    private func stem(_ key: String) -> String {
        Self.pluralForms.first { key.hasSuffix($0) }.map { String(key.dropLast($0.count)) } ?? key
    }

    @Test("every language has every word, and nothing else")
    func complete() {
        let english = Set(WebAssets.languages[0].words.keys.map(stem))
        #expect(WebAssets.languageCodes.first == "en" && WebAssets.languageCodes.contains("ar"))
        for language in WebAssets.languages {
            let keys = Set(language.words.keys.map(stem))
            #expect(english.subtracting(keys).isEmpty, "missing in \(language.language)")
            #expect(keys.subtracting(english).isEmpty, "unknown in \(language.language)")
            #expect(["ltr", "rtl"].contains(language.direction))
        }
    }

    @Test("a translation fills in what the English text does")
    func placeholders() {
        func names(_ text: String) -> Set<String> { Set(text.matches(of: /{(\w+)}/).map { String($0.1) }) }
        let english = WebAssets.languages[0].words
        for language in WebAssets.languages.dropFirst() {
            for (key, text) in language.words {
                let model = english[key] ?? english[stem(key) + "_other"] ?? ""
                // A plural may say its number in a word of its own.
                #expect(names(text).subtracting(names(model)).isEmpty, "\(language.language) \(key)")
                if stem(key) == key { #expect(names(text) == names(model), "\(language.language) \(key)") }
            }
        }
    }

    @Test("every word is used somewhere")
    func used() throws {
        // What the code puts together, such as `desk_done_${verb}`: before and after what stands there by itself.
        let composed = [
            ("widget_", "_text"), ("widget_time_", ""), ("widget_", "_hours"), ("widget_", "_seconds"), ("place_", ""), ("place_", "_text"),
            ("desk_", ""), ("desk_done_", ""), ("desk_event_", ""), ("desk_names_", ""), ("desk_status_", ""), ("", "_kind"),
            ("page_error_", "_title"), ("page_error_", "_text"), ("page_error_", "_advice"), ("admin_", ""), ("admin_entry_", ""),
            ("admin_callback_", ""), ("admin_state_", ""), ("admin_span_", ""), ("admin_role_", ""), ("admin_event_", ""),
            ("admin_incident_", ""),
        ]
        let (literals, problems) = try sources()
        for key in WebAssets.languages[0].words.keys {
            let names = [key, stem(key), "t." + key].flatMap { [$0, $0.replacing("widget_", with: "")] }
            let isUsed =
                names.contains(where: literals.contains)
                || composed.contains { before, after in
                    guard key.hasPrefix(before), key.hasSuffix(after), key.count > before.count + after.count else { return false }
                    let name = String(key.dropFirst(before.count).dropLast(after.count))
                    return before == "page_error_" ? problems.contains(name) : literals.contains(name)
                }
            #expect(isUsed, "\(key)")
        }
    }

    /// What stands between quotes, or braces of templates, in the sources, with the names of cases; and the problems that have a page.
    private func sources() throws -> (literals: Set<String>, problems: Set<String>) {
        var literals: Set<String> = []
        var problems: Set<String> = []
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources").standardized
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        for file in files where ["swift", "js", "mustache"].contains(file.pathExtension) {
            let text = try String(contentsOf: file, encoding: .utf8)
            for piece in text.utf8.split(whereSeparator: { Array("\"'`{}".utf8).contains($0) }) { literals.insert(String(piece) ?? "") }
            for line in text.split(separator: "\n") {
                let line = line.trimmingCharacters(in: .whitespaces)
                if line.hasPrefix("case ") { literals.formUnion(line.dropFirst(5).split(separator: ", ").map(String.init)) }
                if let match = line.firstMatch(of: /pages\.error\(\.\w+, "(\w+)"/) { problems.insert(String(match.1)) }
            }
        }
        return (literals, problems)
    }

    @Test("queue.js is served with all of its parts")
    func parts() throws {
        let script = try WebAssets().script([], language: "en")
        #expect(!script.contains("// @include"))
        for part in WebAssets.queueParts { #expect(script.contains(part.text), "\(part.name)") }
    }
}
