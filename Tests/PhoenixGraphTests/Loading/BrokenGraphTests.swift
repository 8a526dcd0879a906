import Foundation
import PhoenixGraph
import Testing

/// Each file of `Fixtures/broken` says what is wrong with it; the loader must say the same and no more.
@Suite struct BrokenGraphTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/broken")
    static let paths: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { "\(folder.path)/\($0)" }
    }()

    @Test func thereAreFixtures() {
        #expect(Self.paths.count >= 25)
    }

    @Test(arguments: paths)
    func saysExactlyWhatIsWrong(path: String) throws {
        let broken = BrokenGraph(path: path, text: try String(contentsOfFile: path, encoding: .utf8))
        let mismatches = broken.mismatches(GraphLoader(SmallCatalog.specs))
        #expect(mismatches.isEmpty, "\(mismatches.joined(separator: "\n"))")
    }
}
