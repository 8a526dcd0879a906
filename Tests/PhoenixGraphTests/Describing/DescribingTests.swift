import Foundation
import PhoenixGraph
import PhoenixModel
import Testing

@Suite struct DescribingTests {
    @Test func schemaIsJSONAndNamesEveryField() throws {
        let text = GraphSchema(SmallCatalog.specs).text
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let definitions = try #require(object?["$defs"] as? [String: [String: Any]])
        for spec in SmallCatalog.specs.sorted {
            let name = "\(spec.type.role.rawValue).\(spec.type.name)"
            let properties = try #require(definitions[name]?["properties"] as? [String: Any], "\(name)")
            let expected = ["type"] + spec.inputs.map(\.linkKey) + spec.fields.map(\.name)
            #expect(Set(expected).isSubset(of: properties.keys), "\(name)")
        }
        #expect((object?["properties"] as? [String: Any])?.keys.contains("engine") == true)
    }

    @Test func referenceTellsPortsFieldsAndLimits() throws {
        let spec = try #require(SmallCatalog.specs[NodeType(.processor, "aggregate")])
        let page = NodeReference(spec, example: "graph: x\n").markdown
        #expect(page.contains("| `from` | in | metrics | required |"))
        #expect(page.contains("| `merge` | sum, avg, last | `sum` | live | How gauges become one. |"))
        #expect(
            page.contains(
                "| `capacity` | whole number | `8` | replaces | Batches under way. (from 1 to 64) |"
            )
        )
        #expect(page.contains("Only one of `drop`, `keep` may be set."))
        #expect(page.contains("```yaml\ngraph: x\n```"))
        let split = try #require(SmallCatalog.specs[NodeType(.processor, "split")])
        #expect(NodeReference(split).markdown.contains("| `rules[].when.attribute` | text | **required** |"))
    }

    @Test func drawingsShowKinds() throws {
        let graph = try GraphLoaderTests.load(goodGraph).graph
        let dot = GraphDrawing(graph, SmallCatalog.specs).dot
        #expect(dot.contains("\"otlp\" -> \"intake\" [style=solid];"))
        #expect(dot.contains("\"endpoint\" -> \"kpis\" [style=dashed];"))
        #expect(dot.contains("\"control\" -> \"optimized\" [style=dotted];"))
        let mermaid = GraphDrawing(graph, SmallCatalog.specs).mermaid
        #expect(mermaid.hasPrefix("flowchart LR\n  subgraph receivers\n"))
        #expect(mermaid.contains("-.->"))
        #expect(mermaid.contains("stroke-dasharray"))
    }

    @Test func catalogHasNoFlaws() {
        #expect(SmallCatalog.specs.flaws == [])
    }
}
