import Testing

/// The user's page of totals shows what its golden case says, word for word.
@Suite struct TotalsPageTests {
    @Test(arguments: ["given.txt", "expect.txt"]) func showsTheGoldenCase(_ file: String) throws {
        let page = try Repository.text("docs/totals.md")
        let text = try Repository.text("graphs/golden/totals/" + file)
        #expect(
            page.contains("```text\n" + text + "```"),
            "docs/totals.md does not show graphs/golden/totals/\(file)"
        )
    }
    /// The table of the counter, against the values of the case.
    @Test func tellsTheCounterAsItComesOut() throws {
        let page = try Repository.text("docs/totals.md")
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.contains(" s | ") }
        let shown = rows.map {
            $0.split(separator: "|").map { $0.trimmingPrefix(" ") }[3].prefix { $0 != " " }
        }
        let expected = try Repository.text("graphs/golden/totals/expect.txt").split(separator: "\n")
            .filter { $0.hasPrefix("requests{") }.compactMap { $0.split(separator: " ").last }
        #expect(expected.count == 4 && shown == expected)
    }
}
