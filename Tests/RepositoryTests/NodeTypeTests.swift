import PhoenixCommand
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime
import Testing

/// Every node type has a source file, a test, an example and a page.
@Suite struct NodeTypeTests {
    static let specs = NodeSpecs(.standard)
    static let types = specs.sorted.map(\.type)
    private static let tests = Repository.files(below: "Tests/PhoenixNodesTests", ending: ".swift")
    private static let cases = Repository.files(below: "graphs/golden", ending: "graph.yaml")

    @Test(arguments: types) func hasAnExample(_ type: NodeType) {
        let example = "graphs/examples/" + ReferencePages.example(of: type, among: Self.specs)
        #expect(Repository.exists(example), "\(type) has no example: write \(example)")
    }

    @Test(arguments: types) func hasATest(_ type: NodeType) throws {
        let swiftName = type.name.split(separator: "_").map(\.capitalized).joined()
        // Where two roles know the name, the test is named after both.
        let names = [swiftName, swiftName + type.role.rawValue.prefix(1).uppercased() + type.role.rawValue.dropFirst()]
        let ofSwift = Self.tests.contains { file in names.contains { file.hasSuffix("/\($0)Tests.swift") } }
        let golden = try Self.cases.contains { file in
            let text = try Repository.text(file)
            return text.contains("\n  \(type.name):") || text.contains("type: \(type.name)")
        }
        #expect(ofSwift || golden, "\(type) has neither \(swiftName)Tests.swift nor a golden case")
    }
}

extension Substring { fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() } }
