import PhoenixNodes

/// What a running engine serves where, for the person who started it.
struct ServedTable {
    private let graph: String
    private let addresses: [Engine.Address]

    init(_ graph: String, _ addresses: [Engine.Address]) { (self.graph, self.addresses) = (graph, addresses) }

    var text: String {
        let title = "phoenix \(Version.current) runs `\(graph)`"
        guard !addresses.isEmpty else { return "\(title); it listens nowhere" }
        let rows = addresses.map { address in
            [
                address.node, address.type.map { "\($0)" } ?? "engine", address.speech, address.address,
                address.path,
                address.purpose,
            ]
        }
        return title + "\n\n"
            + TextTable(rows: [["NODE", "TYPE", "PROTOCOL", "ADDRESS", "PATH", "PURPOSE"]] + rows).text + "\n"
    }
}
