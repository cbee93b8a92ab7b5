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

    @Test("queue.js is served with all of its parts")
    func parts() throws {
        let script = try WebAssets().script([], language: "en")
        #expect(!script.contains("// @include"))
        for part in WebAssets.queueParts { #expect(script.contains(part.text), "\(part.name)") }
    }
}
