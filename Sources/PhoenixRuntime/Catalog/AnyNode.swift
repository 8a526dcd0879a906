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

    init<Kind: Node>(_ node: Kind) {
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
