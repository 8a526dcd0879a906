import PhoenixModel
import Testing

@testable import PhoenixGraph

@Suite struct YAMLFileTests {
    private static func tree(_ value: ConfigTree.Value) -> ConfigTree {
        ConfigTree(value, at: Mark(file: "", line: 1, column: 1))
    }
    private static func map(_ entries: [(String, ConfigTree)]) -> ConfigTree {
        tree(.map(entries.map { .init(key: $0.0, keyMark: Mark(file: "", line: 1, column: 1), value: $0.1) }))
    }

    @Test(arguments: [
        "", "plain", "1", "true", "null", "~", "-", "- a", "a: b", "a #b", "#a", "'", "\"", "\\",
        "${env:HOME}", "$$",
        "two\nlines", "\ttab", "ü漢🔥", "\u{7}", "\u{7f}", "\u{85}x", "a\u{2028}b", "\u{ffff}", "@x", "%x",
        "*x", "&x", "!x", "|", ">", "{", "[", "]", ",", "?", ":",
        " lead", "trail ", "---", "...", "<<",
    ])
    func anyTextReadsBack(_ text: String) throws {
        for isPlain in [true, false] {
            let written = Self.map([
                ("a", Self.tree(.scalar(text, isPlain: isPlain))),
                ("b", Self.map([("c", Self.tree(.list([Self.tree(.scalar(text, isPlain: isPlain))])))])),
            ])
            let yaml = YAMLFile.write(written)
            let read = try YAMLFile.read(yaml, file: "f")
            #expect(read == written, "\(yaml)")
        }
    }

    @Test func marksAreKept() throws {
        let tree = try YAMLFile.read("a: 1\nb: {c: x}\n", file: "f")
        #expect(tree["b"]?["c"]?.mark == Mark(file: "f", line: 2, column: 8))
    }

    @Test func aTextThatIsNoneSaysWhere() {
        #expect(throws: GraphRefusal.self) { try YAMLFile.read("a: [", file: "f") }
    }
}
