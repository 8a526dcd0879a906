import Testing

@testable import PhoenixNodes

@Suite struct CrossOriginTests {
    private func matches(_ pattern: String, _ origin: String) -> Bool {
        CrossOrigin.matches(pattern.split(separator: "*", omittingEmptySubsequences: false), origin)
    }

    @Test func anOriginIsTakenWholeAndByItsBytes() {
        #expect(matches("https://a.example", "https://a.example"))
        #expect(!matches("https://a.example", "https://a.example.evil"))
        #expect(!matches("https://a.example", "http://a.example"))
        #expect(!matches("https://a.example", ""))
        #expect(!matches("", "https://a.example"))
    }
    @Test func aStarStandsForAnyCharacters() {
        #expect(matches("*", "https://a.example"))
        #expect(matches("https://*.example", "https://b.a.example"))
        #expect(!matches("https://*.example", "https://a.example.evil"))
        #expect(!matches("https://*.example", "https://example"))
        #expect(matches("http*://*.example:*", "https://a.example:8443"))
        // What stands at the end may not be what already stood in the middle.
        #expect(!matches("a*bc*c", "abc"))
        #expect(matches("a*bc*c", "abcc"))
    }
}
