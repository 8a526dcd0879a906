import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// The running graph as the admin API shows it: settings as they were written, and never a secret.
struct GraphStatus {
    private let graph: Graph
    private let ledger: ReloadLedger
    private let readiness: Readiness
    private let specs: NodeSpecs

    init(_ engine: Engine) async {
        graph = await engine.supervisor.runningGraph
        ledger = await engine.supervisor.reloads
        readiness = await engine.readiness
        specs = NodeSpecs(engine.catalog)
    }

    var tree: JSONText {
        let nodes = graph.vertices.values.sorted { $0.id < $1.id }.map { vertex in
            let shape = Shape.object(specs[vertex.type]?.fields ?? [])
            var entries: [(String, JSONText)] = [
                ("node", .text(vertex.id)), ("role", .text(vertex.type.role.rawValue)),
                ("type", .text(vertex.type.name)), ("settings", Self.tree(vertex.config, shape)),
            ]
            if !vertex.modes.isEmpty {
                let modes = vertex.modes.sorted { $0.key < $1.key }.map {
                    ($0.key.rawValue, Self.tree($0.value, shape))
                }
                entries.append(("modes", .object(modes)))
            }
            return JSONText.object(entries)
        }
        let sections = graph.settings.sorted { $0.key < $1.key }.map { name, tree in
            (name, Self.tree(tree, .object(specs.settings[name]?.fields ?? [])))
        }
        return .object([
            ("graph", .text(graph.name)), ("generation", .integer(ledger.generation)),
            ("phase", .text(readiness.phase.rawValue)),
            ("unready", .list(readiness.unready.map { .text($0) })),
            ("settings", .object(sections)), ("nodes", .list(nodes)),
            ("links", .list(graph.links.map { "\($0.from) -> \($0.to)" }.sorted().map { .text($0) })),
            ("reloads", .list(newestFirst.map { Self.tree($0) })),
        ])
    }

    private var newestFirst: [ReloadRecord] {
        (ledger.onProbation.map { [$0] } ?? []) + ledger.records.reversed()
    }

    /// A setting as it was written, the secrets in it masked.
    static func tree(_ tree: ConfigTree, _ shape: Shape?) -> JSONText {
        if let written = mayBeSecret(shape) ? tree.writtenMasked : tree.written { return .text(written) }
        switch tree.value {
        case .null: return .text("null")
        case .scalar(let text, _): return .text(mayBeSecret(shape) ? "***" : text)
        case .list(let items): return .list(items.map { self.tree($0, element(of: shape)) })
        case .map(let entries):
            return .object(entries.map { ($0.key, self.tree($0.value, member($0.key, of: shape))) })
        }
    }
    /// What is not described is not shown.
    private static func mayBeSecret(_ shape: Shape?) -> Bool {
        switch shape {
        case nil, .string(format: "secret")?: true
        case .either(let shapes)?: shapes.contains { mayBeSecret($0) }
        default: false
        }
    }
    private static func element(of shape: Shape?) -> Shape? {
        switch shape {
        case .list(let element): element
        case .either(let shapes): shapes.lazy.compactMap { element(of: $0) }.first
        default: nil
        }
    }
    private static func member(_ name: String, of shape: Shape?) -> Shape? {
        switch shape {
        case .object(let fields): fields.first { $0.name == name }?.shape
        case .map(let value): value
        case .either(let shapes): shapes.lazy.compactMap { member(name, of: $0) }.first
        default: nil
        }
    }

    static func tree(_ record: ReloadRecord) -> JSONText {
        .object([
            ("outcome", .text(record.outcome.rawValue)), ("generation", .integer(record.generation)),
            ("origin", .text(record.origin)),
            ("start_unix_seconds", .number(Double(record.startUnixNano) / 1e9)),
            ("duration_seconds", .number(record.duration.inSeconds)),
            ("state_bytes", .integer(record.stateBytes)),
            ("node", .text(record.node ?? "")), ("message", .text(record.message)),
        ])
    }
    static func tree(_ failure: ReloadFailure) -> JSONText {
        .object([
            ("error", .text("\(failure)")), ("step", .text(failure.step.rawValue)),
            ("node", .text(failure.node ?? "")),
        ])
    }
    static func tree(_ refusal: GraphRefusal) -> JSONText {
        let diagnostics = refusal.diagnostics.map { diagnostic in
            JSONText.object([
                ("file", .text(diagnostic.mark.file)), ("line", .integer(diagnostic.mark.line)),
                ("column", .integer(diagnostic.mark.column)), ("message", .text(diagnostic.message)),
                ("remedy", .text(diagnostic.remedy)),
            ])
        }
        let first = refusal.diagnostics.first.map(\.description) ?? "the graph was refused"
        return .object([("error", .text(first)), ("diagnostics", .list(diagnostics))])
    }
}
