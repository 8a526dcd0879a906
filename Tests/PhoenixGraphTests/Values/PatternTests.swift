import PhoenixGraph
import Testing

@Suite struct PatternTests {
    @Test(arguments: [
        ("critical", "a critical one", true), ("^critical$", "a critical one", false),
        ("java|python", "python3", true),
        ("^(?:a|b)+$", "abba", true), ("\\d{3}", "ab123", true), ("^[\\w.-]+$", "a-b.c_1", true),
        ("^[\\w.-]+$", "a b", false), ("(?i)KWORKER", "kworker/0:1", true), ("a.*?c", "abc", true),
        ("^[^\\]x]$", "]", false), ("^[\\]x]$", "]", true), ("^[]]$", "]", true), ("^[\\^]$", "^", true),
        ("^[\\^-]$", "-", true), ("^[\\^-]$", "^", true), ("^[^\\^]$", "^", false),
        ("^[[:alpha:]]+$", "abc", true),
        ("a\\.b", "axb", false), ("\\bfoo\\b", "a foo b", true), ("", "", true), ("^$", "", true),
        ("^\\S+$", "a b", false),
        ("^[a\\-z]$", "m", false), ("\\{x\\}", "{x}", true), ("^[\\\\]$", "\\", true),
        ("^[\\d-]+$", "1-2", true),
    ])
    func searches(pattern: String, text: String, isFound: Bool) throws {
        #expect(try Pattern(pattern).matches(text) == isFound)
    }

    @Test(arguments: [
        "(", "[a", "a\\", "(?P<x>a)", "\\pL", "a{100000}", "((a{100}){100}){100}", "(?=a)", "[[.a.]]", "*{",
        "a{x}",
    ])
    func refuses(pattern: String) {
        #expect(throws: PatternError.self) { try Pattern(pattern) }
    }

    @Test func groupsOfTheLeftmostMatch() throws {
        let pattern = try Pattern("(k8s|docker)://(\\w+)(:[0-9]+)?")
        #expect(pattern.groups(in: "x docker://ab") == ["docker://ab", "docker", "ab", nil])
        #expect(pattern.groups(in: "none") == nil)
        #expect(try Pattern("b").groups(in: "a\0b") == ["b"])
    }

    @Test func equalByText() throws {
        #expect(try Pattern("a+") == Pattern("a+"))
        #expect(try Pattern("a+") != Pattern("aa*"))
    }
}
