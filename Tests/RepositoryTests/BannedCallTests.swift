import Testing

/// What is written nowhere, or in few places only, with the reason.
@Suite struct BannedCallTests {
    struct Ban: Sendable, CustomTestStringConvertible {
        var pattern: String
        var reason: String
        /// The beginnings of the paths where it is allowed.
        var except: [String] = []
        /// Files that break the ban all the same and are to be mended: the list may only shrink.
        var owed: Set<String> = []
        var testDescription: String { pattern }
    }
    static let bans = [
        Ban(pattern: #"\bTask\.detached\b"#, reason: "cancellation would not reach it"),
        Ban(
            pattern: #"\bTask(<[^>]*>)?(\(priority:.*\))? ?\{"#,
            reason: "cancellation would not reach it: use a task group"
        ),
        Ban(pattern: #"\btry!"#, reason: "input could stop the process"),
        Ban(pattern: #"\bfatalError\("#, reason: "input could stop the process"),
        Ban(
            pattern: #"(^|[^.\w])print\("#,
            reason: "standard output is for answers: use Terminal, or a logger",
            except: ["Sources/PhoenixCommand/Terminal.swift"]
        ),
        Ban(
            pattern: #"\bMutex\b"#,
            reason: "use Lock, which ThreadSanitizer understands",
            except: ["Sources/PhoenixModel/Lock.swift"]
        ),
        Ban(
            pattern: #"@unchecked Sendable|nonisolated\(unsafe\)|\bUnsafeMutable\w*Pointer\b|\.allocate\("#,
            reason: "proofs about memory and threads stay in few places",
            except: [
                "Sources/PhoenixModel/Lock.swift", "Sources/PhoenixModel/Kernels/", "Sources/PhoenixWire/",
                // A compiled regular expression of the C library.
                "Sources/PhoenixGraph/Values/Pattern.swift",
            ],
            owed: [
                "Sources/PhoenixModel/Reaggregation/Reaggregator.swift",
                "Sources/PhoenixModel/Reaggregation/Reaggregator+gauges.swift",
                "Sources/PhoenixModel/Reaggregation/Reaggregator+histograms.swift",
                "Sources/PhoenixModel/Reaggregation/Reaggregator+numbers.swift",
            ]
        ),
    ]

    @Test(arguments: bans) func isNotWritten(_ ban: Ban) throws {
        let pattern = try Regex(ban.pattern)
        var breaking: Set<String> = []
        for file in Repository.files(below: "Sources", ending: ".swift") {
            guard !ban.except.contains(where: file.hasPrefix) else { continue }
            for (number, line) in try Repository.code(file) where line.contains(pattern) {
                breaking.insert(file)
                #expect(ban.owed.contains(file), "\(file):\(number): \(ban.reason)")
            }
        }
        #expect(ban.owed.subtracting(breaking) == [], "these keep the ban now: take them from the list")
    }

    @Test func unprovenSendablesSayWhy() throws {
        for file in Repository.files(below: "Sources", ending: ".swift") {
            let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated()
            where line.contains("@unchecked Sendable") && !line.contains("///") {
                let around = lines[max(0, index - 12)..<min(lines.count, index + 5)]
                #expect(
                    around.contains { $0.contains("//") },
                    "\(file):\(index + 1): write beside it why it is safe"
                )
            }
        }
    }

    @Test func nothingNamesTheMachineItWasWrittenOn() throws {
        // The name is put together here, so that this file itself is clean.
        let word = "/" + "work/"
        let files = ["Sources", "Tests", "graphs", "docs", "tools"].flatMap {
            Repository.files(below: $0, ending: "")
        }
        for file in files where !file.contains("/Fixtures/") {
            // Directories and what is no text have nothing to say.
            guard let text = try? Repository.text(file) else { continue }
            #expect(!text.contains(word), "\(file) names \(word)")
        }
    }
}
