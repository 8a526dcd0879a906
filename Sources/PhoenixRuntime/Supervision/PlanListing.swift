package import PhoenixGraph

/// A plan as people and programs read it, from here or from a running instance. Names only, never a setting's value.
public struct PlanListing: Sendable, Equatable, Decodable {
    public struct Node: Sendable, Equatable, Decodable {
        public var node: String
        public var role: String
        public var type: String
        public var action: Plan.Action
        public var settings: [String]
        public var forgets: String
    }
    public struct Served: Sendable, Equatable, Decodable {
        public var address: String
        public var path: String
    }
    public var changes: Bool
    public var nodes: [Node]
    /// `from.port -> to.port`.
    public var linked: [String]
    public var unlinked: [String]
    public var opened: [Served]
    public var closed: [Served]
    /// The sections outside the nodes that change.
    public var settings: [String]

    /// What changes, a line each, and a summary.
    public var text: String {
        guard changes else { return "nothing changes" }
        var lines = nodes.filter { $0.action != .keep }.map { node in
            let names = node.settings.isEmpty ? "" : " (\(node.settings.joined(separator: ", ")))"
            let forgets = node.forgets.isEmpty ? "" : "; forgets: \(node.forgets)"
            return "\(Self.sign(node.action)) \(node.node): \(node.action.rawValue)\(names)\(forgets)"
        }
        lines += linked.map { "+ link \($0)" }
        lines += unlinked.map { "- link \($0)" }
        lines += opened.map { "+ serve \($0.address) \($0.path)" }
        lines += closed.map { "- serve \($0.address) \($0.path)" }
        lines += settings.map { "~ \($0): changed" }
        let counts: [(Plan.Action, String)] = [
            (.keep, "kept"), (.reconfigure, "reconfigured"), (.replaceWithState, "replaced with state"),
            (.replaceWithoutState, "replaced without state"), (.add, "added"), (.remove, "removed"),
        ]
        lines.append(
            counts.map { action, name in "\(nodes.count { $0.action == action }) \(name)" }.joined(
                separator: ", "
            )
        )
        return lines.joined(separator: "\n")
    }
    private static func sign(_ action: Plan.Action) -> String {
        switch action {
        case .keep: "="
        case .reconfigure, .replaceWithState: "~"
        case .replaceWithoutState: "!"
        case .add: "+"
        case .remove: "-"
        }
    }

    public var json: String { tree.written() }
    package var tree: JSONText {
        func served(_ list: [Served]) -> JSONText {
            .list(list.map { .object([("address", .text($0.address)), ("path", .text($0.path))]) })
        }
        func texts(_ list: [String]) -> JSONText { .list(list.map { .text($0) }) }
        let nodes = nodes.map { node in
            JSONText.object([
                ("node", .text(node.node)), ("role", .text(node.role)), ("type", .text(node.type)),
                ("action", .text(node.action.rawValue)), ("settings", texts(node.settings)),
                ("forgets", .text(node.forgets)),
            ])
        }
        return .object([
            ("changes", .boolean(changes)), ("nodes", .list(nodes)), ("linked", texts(linked)),
            ("unlinked", texts(unlinked)), ("opened", served(opened)), ("closed", served(closed)),
            ("settings", texts(settings)),
        ])
    }
}

extension Plan {
    public var listing: PlanListing {
        func links(_ links: Set<Graph.Link>) -> [String] { links.map { "\($0.from) -> \($0.to)" }.sorted() }
        func served(_ list: [Listening]) -> [PlanListing.Served] {
            list.map { PlanListing.Served(address: $0.address, path: $0.path) }
        }
        return PlanListing(
            changes: !isEmpty,
            nodes: steps.map {
                PlanListing.Node(
                    node: $0.node,
                    role: $0.type.role.rawValue,
                    type: $0.type.name,
                    action: $0.action,
                    settings: $0.settings,
                    forgets: $0.forgets
                )
            },
            linked: links(diff.linked),
            unlinked: links(diff.unlinked),
            opened: served(opened),
            closed: served(closed),
            settings: diff.settings.sorted()
        )
    }
}
