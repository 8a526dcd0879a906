import Foundation
import PhoenixGraph
import PhoenixNodes
import Testing

/// Every graph of `graphs/broken` says what is wrong with it, on the lines where it is wrong, and nothing else.
@Suite struct BrokenGraphsTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "graphs/broken")

    @Test func eachSaysWhatIsWrongWhereItIs() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.folder,
            includingPropertiesForKeys: nil
        )
        .filter { $0.pathExtension == "yaml" }
        #expect(files.count >= 8)
        let loader = GraphLoader(NodeSpecs(.standard))
        for file in files {
            let text = try String(contentsOf: file, encoding: .utf8)
            let expected = BrokenGraph.expectations(in: text, file: file.path)
            #expect(!expected.isEmpty, "\(file.lastPathComponent) expects nothing")
            #expect(BrokenGraph(path: file.path, text: text).mismatches(loader) == [])
        }
    }
}
