import Testing

/// A file over 400 lines wants to be two.
@Suite struct CeilingTests {
    static let ceiling = 400
    /// Files that are over it, with their lengths: the list may only shrink, and so may they.
    static let known: [String: Int] = [:]

    @Test func filesAreShort() throws {
        var over: Set<String> = []
        for directory in ["Sources", "Tests", "Benchmarks/Sources"] {
            for file in Repository.files(below: directory, ending: ".swift")
            where !file.contains("/Generated/") {
                let lines =
                    try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false).count
                    - 1
                guard lines > Self.ceiling else { continue }
                over.insert(file)
                #expect(lines <= Self.known[file] ?? Self.ceiling, "\(file) has \(lines) lines: split it")
            }
        }
        for file in Self.known.keys {
            #expect(over.contains(file), "\(file) is short now: take it from the list")
        }
    }

    @Test func linesAreNoLongerThanTheFormatterMakesThem() throws {
        for file in Repository.files(below: "Sources", ending: ".swift")
        where !file.contains("/Generated/") {
            let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                #expect(
                    line.count <= 130,
                    "\(file):\(index + 1) has \(line.count) characters: run `make format`"
                )
            }
        }
    }
}
