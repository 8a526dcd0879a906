import PhoenixGraph
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// Each action as Prometheus' own tests have it (model/relabel/relabel_test.go).
@Suite struct RelabelTests {
    private static func labels(_ pairs: [String: String]) -> LabelSet {
        LabelSet(pairs.map { (key: $0.key, value: $0.value) })
    }
    private static func rule(
        _ action: RelabelAction,
        from sources: [String] = [],
        to target: String = "",
        _ regex: String? = nil,
        _ replacement: String = "$1",
        modulus: Int = 0
    ) throws -> RelabelRule {
        var rule = RelabelRule()
        (rule.action, rule.sourceLabels, rule.targetLabel) = (action, sources, target)
        (rule.replacement, rule.modulus) = (replacement, modulus)
        if let regex { rule.regex = try RelabelPattern(regex) }
        return rule
    }
    private static let abc = ["a": "foo", "b": "bar", "c": "baz"]

    @Test func replaces() throws {
        let cases: [(RelabelRule, [String: String])] = [
            (try Self.rule(.replace, from: ["a"], to: "d", "f(.*)", "ch${1}-ch${1}"), ["d": "choo-choo"]),
            (
                try Self.rule(.replace, from: ["a", "b"], to: "a", "(.*);(.*)r", "b${1}${2}m"),
                ["a": "bfoobam"]
            ),
            (try Self.rule(.replace, from: ["a"], to: "b", "o", "x"), [:]),
            (try Self.rule(.replace, from: ["a"], to: "b", "f(.*)", ""), ["b": ""]),
            (try Self.rule(.replace, from: ["a"], to: "${1}", "(f)oo", "y"), ["f": "y"]),
            (try Self.rule(.replace, from: ["a"], to: "1${1}", "(f)oo", "y"), [:]),
            (try Self.rule(.replace, from: ["a"], to: "d", "(?:f|g)(o)(?:o)", "$1$2"), ["d": "o"]),
            (try Self.rule(.replace, to: "d", nil, "const"), ["d": "const"]),
            (try Self.rule(.replace, from: ["a"], to: "d"), ["d": "foo"]),
            (try Self.rule(.replace, from: ["a"], to: "d", "(?i)FOO", "$$1"), ["d": "$1"]),
            (try Self.rule(.lowercase, from: ["a"], to: "A"), ["A": "foo"]),
            (try Self.rule(.uppercase, from: ["a", "b"], to: "A"), ["A": "FOO;BAR"]),
            (try Self.rule(.hashmod, from: ["c"], to: "d", modulus: 1000), ["d": "976"]),
            (try Self.rule(.labelmap, "(b.*)|c", "x_${1}"), ["x_b": "bar", "x_": "baz"]),
        ]
        for (rule, changes) in cases {
            let expected = Self.labels(
                Self.abc.merging(changes) { _, new in new }.filter { !$0.value.isEmpty }
            )
            #expect([rule].apply(to: Self.labels(Self.abc)) == expected, "\(rule)")
        }
    }
    @Test func keepsAndDrops() throws {
        let set = Self.labels(Self.abc.merging(["d": "foo"]) { first, _ in first })
        func survives(_ rule: RelabelRule) -> Bool { [rule].apply(to: set) != nil }
        #expect(survives(try Self.rule(.keep, from: ["a"], "f.o|x")))
        #expect(!survives(try Self.rule(.keep, from: ["a"], "fo")))
        #expect(!survives(try Self.rule(.drop, from: ["a"], ".*o.*")))
        #expect(survives(try Self.rule(.drop, from: ["a"], "f")))
        #expect(survives(try Self.rule(.keepequal, from: ["a"], to: "d")))
        #expect(!survives(try Self.rule(.keepequal, from: ["a"], to: "b")))
        #expect(!survives(try Self.rule(.dropequal, from: ["a"], to: "d")))
        #expect([try Self.rule(.labeldrop, "(a|b)")].apply(to: set) == Self.labels(["c": "baz", "d": "foo"]))
        #expect([try Self.rule(.labelkeep, "(a|b)")].apply(to: set) == Self.labels(["a": "foo", "b": "bar"]))
    }
    /// RFC 1321, A.5.
    @Test(
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a"
            ),
        ]
    ) func hashesAreThoseOfTheStandard(_ text: String, _ digest: String) {
        let digits = MD5.digest(text.utf8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        #expect(digits.joined() == digest)
    }
    @Test func refusesWhatItCannotDo() {
        #expect(throws: PatternError.self) { _ = try RelabelPattern("(.+?):.*") }
        #expect(throws: Never.self) { _ = try RelabelPattern("a+?[?+(]b") }
    }
}
