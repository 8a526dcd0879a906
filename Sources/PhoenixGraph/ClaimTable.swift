/// Finds two nodes that take the same of the world outside.
enum ClaimTable {
    struct Entry {
        /// The node, or the section of the engine's own settings.
        var node: NodeID
        var claim: Claim
        var mark: Mark
    }

    /// One diagnostic for each pair of nodes and each thing that both take, at the later of the two.
    static func conflicts(_ entries: [Entry]) -> [Diagnostic] {
        let sorted = entries.sorted {
            ($0.mark, $0.node, "\($0.claim)") < ($1.mark, $1.node, "\($1.claim)")
        }
        var found: [Diagnostic] = []
        var reported: Set<String> = []
        for (index, later) in sorted.enumerated() {
            for earlier in sorted[..<index] where earlier.node != later.node {
                guard let conflict = conflict(earlier, later),
                    reported.insert("\(earlier.node) \(later.node) \(conflict.thing)").inserted
                else { continue }
                found.append(
                    Diagnostic(
                        at: later.mark,
                        conflict.message,
                        mend: "\(conflict.remedy) (\(place(of: earlier)))"
                    )
                )
            }
        }
        return found
    }

    private static func place(of entry: Entry) -> String {
        entry.mark.line > 0
            ? "`\(entry.node)` stands in line \(entry.mark.line)"
            : "that is the default of `\(entry.node).listen`"
    }

    private static func conflict(
        _ first: Entry,
        _ second: Entry
    ) -> (thing: String, message: String, remedy: String)? {
        switch (first.claim, second.claim) {
        case (
            .listen(let left, let leftProtocol, let leftPath),
            .listen(let right, let rightProtocol, let rightPath)
        ):
            guard isSame(left, right) else { return nil }
            let both = "`\(first.node)` and `\(second.node)` both listen on \(right)"
            if normalized(left) != normalized(right) {
                return (right, "\(both): \(left) holds it already", "give one of them another port")
            }
            if leftProtocol != rightProtocol {
                let message = "\(both), one with \(leftProtocol), one with \(rightProtocol)"
                return (right, message, "give one of them another address")
            }
            guard overlaps(leftPath, rightPath) else { return nil }
            return (right, "\(both) and serve \(rightPath)", "give one of them another path or address")
        case (.writesFile(let left), .writesFile(let right)):
            guard path(left) == path(right) else { return nil }
            return (
                path(left), "`\(first.node)` and `\(second.node)` both write \(right)",
                "let one of them write another file"
            )
        case (.writesFile(let left), .readsFile(let right)), (.readsFile(let left), .writesFile(let right)):
            guard path(left) == path(right) else { return nil }
            let isWriter = if case .writesFile = first.claim { true } else { false }
            let (writer, reader) = isWriter ? (first.node, second.node) : (second.node, first.node)
            let message = "`\(writer)` writes \(right), which `\(reader)` reads: a loop through the file"
            return (path(left), message, "link the nodes, or give one of them another file")
        default: return nil
        }
    }

    /// Whether both addresses cannot be had at once.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        let (left, right) = (normalized(left), normalized(right))
        guard !left.hasSuffix(":0") || left.hasPrefix("unix:") else { return false }
        if left == right { return true }
        guard case .tcp(let leftHost, let leftPort)? = ListenAddress(written: left),
            case .tcp(let rightHost, let rightPort)? = ListenAddress(written: right), leftPort == rightPort
        else { return false }
        // 0.0.0.0 holds the port on every IPv4 address; of a host's name the graph alone does not know.
        func isNumeric(_ host: String) -> Bool { host.allSatisfy { $0.isNumber || $0 == "." } }
        return (leftHost == "0.0.0.0" && isNumeric(rightHost))
            || (rightHost == "0.0.0.0" && isNumeric(leftHost))
    }

    private static func normalized(_ address: String) -> String {
        if address.hasPrefix("unix:") { return "unix:" + path(String(address.dropFirst(5))) }
        return ListenAddress(written: address)?.text.lowercased() ?? address
    }

    /// Whether one request could be meant for both paths.
    static func overlaps(_ left: String, _ right: String) -> Bool {
        switch (left.hasSuffix("*"), right.hasSuffix("*")) {
        case (false, false): left == right
        case (true, false): right.hasPrefix(left.dropLast())
        case (false, true): left.hasPrefix(right.dropLast())
        case (true, true):
            left.dropLast().hasPrefix(right.dropLast()) || right.dropLast().hasPrefix(left.dropLast())
        }
    }

    /// A path without `.` and doubled slashes.
    private static func path(_ text: String) -> String {
        let parts = text.split(separator: "/").filter { $0 != "." }
        return (text.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
