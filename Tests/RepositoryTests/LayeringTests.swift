import Foundation
import Testing

/// The floors of docs/ARCHITECTURE.md: a target imports only what lies below it, and what it declares.
@Suite struct LayeringTests {
    /// What each target may import beside the standard library's own modules.
    static let allowed: [String: Set<String>] = [
        "CNGHTTP2": [],
        "CResolver": [],
        "CZlib": [],
        "PhoenixModel": [],
        "PhoenixGraph": ["PhoenixModel", "Yams"],
        "PhoenixWire": ["PhoenixModel", "CNGHTTP2", "CZlib", "NIOCore", "NIOHTTP1", "NIOPosix"],
        "PhoenixRuntime": ["PhoenixModel", "PhoenixGraph", "DequeModule", "Logging"],
        "PhoenixNodes": [
            "PhoenixModel", "PhoenixGraph", "PhoenixWire", "PhoenixRuntime", "CResolver", "Logging",
            "NIOCore",
            "NIOPosix", "AsyncHTTPClient", "Dispatch", "HTTPTypes", "Hummingbird", "NIOSSL", "SwiftProtobuf",
        ],
        "PhoenixTestKit": ["PhoenixModel", "PhoenixGraph", "PhoenixRuntime", "Logging"],
        "PhoenixCommand": [
            "PhoenixModel", "PhoenixGraph", "PhoenixRuntime", "PhoenixNodes", "PhoenixTestKit",
            "ArgumentParser", "AsyncHTTPClient",
            "Logging", "ServiceLifecycle", "UnixSignals",
        ],
        "phoenix": ["PhoenixCommand", "PhoenixNodes"],
    ]
    private static let system: Set<String> = ["Foundation", "Synchronization", "Glibc", "Musl", "Darwin"]

    static let targets =
        (try? FileManager.default.contentsOfDirectory(
            atPath: Repository.root.appendingPathComponent("Sources").path
        ).filter { !$0.hasPrefix(".") }.sorted()) ?? []

    @Test func everyTargetHasItsPlace() { #expect(Self.targets == Self.allowed.keys.sorted()) }

    @Test(arguments: targets) func importsGoDownwards(_ target: String) throws {
        let allowed = (Self.allowed[target] ?? []).union(Self.system)
        for file in Repository.files(below: "Sources/\(target)", ending: ".swift") {
            for (number, line) in try Repository.code(file) {
                guard let module = Self.module(line) else { continue }
                #expect(allowed.contains(module), "\(file):\(number): \(target) must not import \(module)")
            }
        }
    }

    @Test func onlyLoadingKnowsYAML() throws {
        for file in Repository.files(below: "Sources", ending: ".swift") where !file.contains("/Loading/") {
            let imports = try Repository.code(file).contains { Self.module($0.line) == "Yams" }
            #expect(!imports, "\(file): only PhoenixGraph/Loading reads YAML")
        }
    }

    /// The module that a line imports; nil for another line.
    private static func module(_ line: String) -> String? {
        let words = line.split(separator: " ").filter { !$0.hasPrefix("@") }
        let modifiers: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]
        let rest = words.drop { modifiers.contains($0) }
        guard rest.first == "import", let last = rest.last else { return nil }
        return String(last.split(separator: ".")[0])
    }
}
