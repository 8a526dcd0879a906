import ArgumentParser
import Foundation

/// `phoenix reference`: writes the generated pages of the documentation.
struct Reference: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the reference pages of all node types and the JSON Schema into a directory."
    )

    @Argument(help: "The directory, such as docs.")
    var directory = "docs"
    @Option(help: "The directory of example graphs.")
    var examples = "graphs/examples"

    func run() throws {
        let count: Int
        do { count = try write() } catch {
            Terminal.note(Self.refusal(error, in: directory))
            throw Outcome.notStarted.exitCode
        }
        try Terminal.say("\(count) pages in \(directory)")
    }

    /// Writes all pages, and answers how many they are.
    private func write() throws -> Int {
        let pages = ReferencePages(PhoenixCommand.catalog, examples: examples).all
        // What no type stands behind any more must go, or readers would trust it.
        let nodes = directory + "/nodes"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: nodes)) ?? []
        where name.hasSuffix(".md") {
            if pages["nodes/" + name] == nil {
                try FileManager.default.removeItem(atPath: nodes + "/" + name)
            }
        }
        for (path, text) in pages.sorted(by: { $0.key < $1.key }) {
            let file = URL(fileURLWithPath: directory).appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        return pages.count
    }

    /// What the system says is wrong, in words.
    static func refusal(_ error: any Error, in directory: String) -> String {
        let told = error as NSError
        let cause = (told.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? told
        let reason =
            cause.domain == NSPOSIXErrorDomain
            ? String(cString: strerror(Int32(cause.code))) : told.localizedDescription
        let place = told.userInfo[NSFilePathErrorKey] as? String ?? directory
        return
            "cannot write \(place): \(reason); name a directory that has room and that this user may write to"
    }
}
