/// Finds two nodes that take the same of the world outside.
enum ClaimTable {
    struct Entry {
        /// The node, or the section of the engine's own settings.
        var node: NodeID
        var claim: Claim
        var mark: Mark
    }

    /// An entry whose words were read once: each is compared with all others.
    private struct Read {
        var entry: Entry
        var text: String
        var address: ListenAddress?
        /// The address as all who mean it would write it, or the path of the file.
        var place: String

        init(_ entry: Entry) {
            self.entry = entry
            switch entry.claim {
            case .listen(let address, let protocolName, let path):
                text = "listen \(address) \(protocolName) \(path)"
                self.address = ListenAddress(written: address)
                place = ListenAddress.place(of: address)
            case .readsFile(let file): (text, place) = ("read \(file)", ListenAddress.path(file))
            case .writesFile(let file): (text, place) = ("write \(file)", ListenAddress.path(file))
            case .loadsFile(let file, _): (text, place) = ("load \(file)", ListenAddress.path(file))
            }
        }
    }

    /// One diagnostic for each pair of nodes and each thing that both take, at the later of the two.
    static func conflicts(_ entries: [Entry]) -> [Diagnostic] {
        let sorted = entries.map(Read.init).sorted {
            ($0.entry.mark, $0.entry.node, $0.text) < ($1.entry.mark, $1.entry.node, $1.text)
        }
        var found: [Diagnostic] = []
        var reported: Set<String> = []
        for (index, later) in sorted.enumerated() {
            for earlier in sorted[..<index] where earlier.entry.node != later.entry.node {
                guard let conflict = conflict(earlier, later),
                    reported.insert("\(earlier.entry.node) \(later.entry.node) \(conflict.thing)").inserted
                else { continue }
                found.append(
                    Diagnostic(
                        at: later.entry.mark,
                        conflict.message,
                        mend: "\(conflict.remedy) (\(place(of: earlier.entry)))"
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
        _ one: Read,
        _ other: Read
    ) -> (thing: String, message: String, remedy: String)? {
        let (first, second) = (one.entry, other.entry)
        switch (first.claim, second.claim) {
        case (
            .listen(let left, let leftProtocol, let leftPath),
            .listen(let right, let rightProtocol, let rightPath)
        ):
            guard isSame(one, other) else { return nil }
            let both = "`\(first.node)` and `\(second.node)` both listen on \(right)"
            if one.place != other.place {
                return (right, "\(both): \(left) holds it already", "give one of them another port")
            }
            if leftProtocol != rightProtocol {
                let message = "\(both), one with \(leftProtocol), one with \(rightProtocol)"
                return (right, message, "give one of them another address")
            }
            guard overlaps(leftPath, rightPath) else { return nil }
            return (right, "\(both) and serve \(rightPath)", "give one of them another path or address")
        case (.writesFile, .writesFile(let right)):
            guard one.place == other.place else { return nil }
            return (
                one.place, "`\(first.node)` and `\(second.node)` both write \(right)",
                "let one of them write another file"
            )
        case (.writesFile, .readsFile(let right)), (.readsFile, .writesFile(let right)):
            guard one.place == other.place else { return nil }
            let isWriter = if case .writesFile = first.claim { true } else { false }
            let (writer, reader) = isWriter ? (first.node, second.node) : (second.node, first.node)
            let message = "`\(writer)` writes \(right), which `\(reader)` reads: a loop through the file"
            return (one.place, message, "link the nodes, or give one of them another file")
        default: return nil
        }
    }

    /// Whether both addresses cannot be had at once.
    private static func isSame(_ left: Read, _ right: Read) -> Bool {
        guard !left.place.hasSuffix(":0") || left.place.hasPrefix("unix:") else { return false }
        if left.place == right.place { return true }
        guard case .tcp(let leftHost, let leftPort)? = left.address,
            case .tcp(let rightHost, let rightPort)? = right.address, leftPort == rightPort
        else { return false }
        // 0.0.0.0 holds the port on every IPv4 address; of a host's name the graph alone does not know.
        func isNumeric(_ host: String) -> Bool { host.allSatisfy { $0.isNumber || $0 == "." } }
        return (leftHost == "0.0.0.0" && isNumeric(rightHost))
            || (rightHost == "0.0.0.0" && isNumeric(leftHost))
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
}
