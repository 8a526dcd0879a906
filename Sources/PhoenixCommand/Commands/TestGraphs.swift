import ArgumentParser
import Foundation
import PhoenixTestKit

/// `phoenix test`: runs golden cases, text in and text out.
struct TestGraphs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run golden cases: graph.yaml, given.txt and expect.txt in a directory each.",
        discussion: """
            Time in a case jumps to the next moment at which something happens, and the order of events follows from \
            the seed alone: a case of a day takes no longer than one of a second, and comes out the same each time.
            """
    )

    @Argument(help: "Directories of cases, or of directories of cases.")
    var directories = ["graphs/golden"]
    @Option(help: "Where the order of events begins.")
    var seed: UInt64 = 1
    @Flag(help: "Write what came out into expect.txt; read it before you trust it.")
    var write = false

    func run() throws {
        let cases = directories.flatMap(Self.cases)
        guard !cases.isEmpty else {
            Terminal.note(
                "no cases in \(directories.joined(separator: ", ")): a case has a graph.yaml and a given.txt"
            )
            throw Outcome.refused.exitCode
        }
        let failures = try cases.filter { try !passes($0) }
        try Terminal.say("\(cases.count) cases, \(failures.count) failed")
        if !failures.isEmpty { throw Outcome.refused.exitCode }
    }

    /// Whether a case passes; throws only where that cannot be said.
    private func passes(_ directory: String) throws -> Bool {
        let (isPassed, text) = judged(directory)
        try Terminal.say(text)
        return isPassed
    }
    private func judged(_ directory: String) -> (isPassed: Bool, text: String) {
        do {
            let outcome = try GoldenGraph(directory: directory).run(PhoenixCommand.catalog, seed: seed)
            if outcome.isPassed { return (true, "passed  \(directory)") }
            if write {
                try Data((outcome.actual + "\n").utf8).write(
                    to: URL(fileURLWithPath: directory + "/expect.txt")
                )
                return (true, "written \(directory)")
            }
            return (false, "FAILED  \(directory): \(outcome.difference ?? "")\n\(outcome.actual)\n")
        } catch {
            return (false, "FAILED  \(directory): \(error)")
        }
    }

    static func cases(in directory: String) -> [String] {
        func isCase(_ path: String) -> Bool {
            FileManager.default.fileExists(atPath: path + "/graph.yaml")
                && FileManager.default.fileExists(atPath: path + "/given.txt")
        }
        if isCase(directory) { return [directory] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().map { directory + "/" + $0 }.filter(isCase)
    }
}
