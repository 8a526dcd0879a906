import Foundation
import PhoenixNodes
import PhoenixRuntime
import PhoenixTestKit
import Testing

/// Every case in `graphs/golden`: text in, text out. `PHOENIX_GOLDEN=write` writes what came out; read it before you commit.
@Suite struct GoldenTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("graphs/golden")
    static let cases = (try? FileManager.default.contentsOfDirectory(atPath: root.path).sorted()) ?? []

    @Test(arguments: cases) func whatComesOutIsWhatIsExpected(_ name: String) throws {
        let directory = Self.root.appendingPathComponent(name).path
        let outcome = try GoldenGraph(directory: directory).run(.standard)
        if ProcessInfo.processInfo.environment["PHOENIX_GOLDEN"] == "write", !outcome.isPassed {
            try (outcome.actual + "\n").write(
                toFile: directory + "/expect.txt",
                atomically: true,
                encoding: .utf8
            )
        }
        #expect(outcome.isPassed, "\(name): \(outcome.difference ?? "")\n\(outcome.actual)")
    }

    @Test func thereAreCases() { #expect(Self.cases.count >= 4) }

    @Test(arguments: cases) func everyInterleavingComesToTheSame(_ name: String) throws {
        let golden = try GoldenGraph(directory: Self.root.appendingPathComponent(name).path)
        for seed in UInt64(2)..<6 {
            let outcome = try golden.run(.standard, seed: seed)
            #expect(outcome.isPassed, "\(name), seed \(seed): \(outcome.difference ?? "")")
        }
    }
}
