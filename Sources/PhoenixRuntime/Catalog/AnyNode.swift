public import PhoenixGraph

/// A node without its type: what the supervisor may do with it.
struct AnyNode: Sendable {
    let run: @Sendable () async throws -> Void
    let flush: @Sendable () async throws -> Void
    /// Nil for a node that is no `Source`.
    let quiesce: (@Sendable () async -> Void)?
    let reopen: (@Sendable () async -> Void)?
    /// False when the node must be replaced; throws `SettingsError` for settings that do not fit.
    let reconfigure: @Sendable (Graph.Vertex) async throws -> Bool
    let handOver: @Sendable () async -> (any Sendable)?
    let inherit: @Sendable (any Sendable) async -> Void
    /// Nil for a node whose memory ends with it.
    let lasting: LastingMemory?

    init<Kind: Node>(_ node: Kind, _ settings: Settings<Kind.Config>, _ context: NodeContext) {
        lasting = Self.lasting(node, settings, context)
        run = { try await node.run() }
        flush = { try await node.flush() }
        if let source = node as? any Source {
            quiesce = { await source.quiesce() }
            reopen = { await source.reopen() }
        } else {
            (quiesce, reopen) = (nil, nil)
        }
        reconfigure = { vertex in try await node.reconfigure(Settings<Kind.Config>(of: vertex)) }
        handOver = { await node.handOver() }
        inherit = { state in
            guard let state = state as? Kind.State else { return }
            await node.inherit(state)
        }
    }
    private static func lasting<Kind: Node>(
        _ node: Kind,
        _ settings: Settings<Kind.Config>,
        _ context: NodeContext
    ) -> LastingMemory? {
        func memory<Lasting: LastingNode>(_ node: Lasting) -> LastingMemory? {
            (settings as? Settings<Lasting.Config>).map { LastingMemory(node, $0, context) }
        }
        guard let node = node as? any LastingNode else { return nil }
        return memory(node)
    }
}

/// Settings that do not fit their node type: all that is wrong with them.
public struct SettingsError: Error, CustomStringConvertible {
    public var diagnostics: [Diagnostic]
    public init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
    public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

extension Settings {
    /// Reads the settings of a vertex in every mode; throws `SettingsError`.
    public init(of vertex: Graph.Vertex) throws {
        var report = Report()
        guard let (base, modes) = Config.decode(vertex, &report) else {
            throw SettingsError(report.diagnostics)
        }
        self.init(base, modes: modes)
    }
}
