public import PhoenixModel

// Stands in for branch `graph`, same signatures; goes away with the merge.
extension NodeConfig {
    public static func decode(
        _ vertex: Graph.Vertex,
        _ report: inout Report
    ) -> (base: Self, modes: [Mode: Self])? {
        var config = Self()
        guard case .map(let entries) = vertex.config.value else { return (config, [:]) }
        for entry in entries {
            guard let field = fields.first(where: { $0.name == entry.key }) else {
                report.add(at: entry.keyMark, "unknown setting `\(entry.key)`", mend: "take it away")
                return nil
            }
            if !field.read(entry.value, &config, &report) { return nil }
        }
        return (config, [:])
    }
}

extension NodeSpec {
    public init<Config: NodeConfig>(
        _ type: NodeType,
        _ summary: String,
        ports: [PortSpec],
        config: Config.Type
    ) {
        self.init(type: type, summary: summary, ports: ports, fields: [], validate: { _, _, _ in [] })
    }
}
