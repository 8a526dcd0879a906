import Foundation
import PhoenixGraph
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct CatalogTests {
    private static let ours = [
        "aggregate", "attributes", "classify", "debug", "filter", "manual", "resource_detection", "synthetic",
        "topk",
    ]

    @Test func theCatalogKeepsTheContract() { #expect(NodeContract(.standard).flaws == []) }

    @Test(arguments: ours) func theExampleLoads(_ name: String) throws {
        let path = GoldenTests.root.deletingLastPathComponent().appendingPathComponent(
            "examples/\(name).yaml"
        )
        let text = try String(contentsOf: path, encoding: .utf8)
        let loaded = try GraphLoader(NodeSpecs(NodeCatalog.standard.specs), files: [:]).load(text: text)
        #expect(loaded.graph.vertices.values.contains { $0.type.name == name })
    }

    @Test func hashesAreThoseOfTheStandard() {
        #expect(
            SHA256.hexadecimal("abc".utf8)
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
    }

    @Test func theLogTakesTheFirstOfASecondAndFewOfTheOthers() {
        var sampling = LogSampling()
        let chosen = (0..<10).filter { _ in sampling.isChosen(at: 1, first: 2, then: 4) }
        #expect(chosen == [0, 1, 5, 9])
        let isChosen = sampling.isChosen(at: 2, first: 1, then: 0)
        #expect(isChosen)
    }
}
