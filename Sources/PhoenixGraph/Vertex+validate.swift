import PhoenixModel

extension Graph.Vertex {
    /// Checks the node's settings in every mode; answers what it claims in any of them.
    func validate(_ spec: NodeSpec, isFollowing: Bool) -> ([Diagnostic], Set<Claim>) {
        var report = Report()
        var claims = Set(spec.validate(config, mark, &report))
        let isBaseGood = report.diagnostics.isEmpty
        guard !modes.isEmpty else { return (report.diagnostics, claims) }
        if !isFollowing {
            let inputs = spec.inputs.filter { $0.kind == .mode }.map { "`\($0.linkKey): <controller>`" }
            report.add(
                at: modes.values.map(\.mark).min() ?? mark,
                "`modes` of `\(id)` can never apply: it follows no controller",
                mend: inputs.isEmpty
                    ? "take `modes` away, \(spec.type) has no such input"
                    : "add \(inputs.joined(separator: " or "))"
            )
        }
        for mode in modes.keys.sorted() {
            guard let overlay = modes[mode] else { continue }
            let isLive = checkLive(overlay, spec, &report)
            // A problem of the base shows once, not once a mode.
            guard isLive, isBaseGood else { continue }
            claims.formUnion(spec.validate(config(in: mode, exclusive: spec.exclusive), mark, &report))
        }
        return (report.diagnostics, claims)
    }

    /// Whether an overlay names live fields only.
    private func checkLive(_ overlay: ConfigTree, _ spec: NodeSpec, _ report: inout Report) -> Bool {
        guard !overlay.isNull else { return true }
        guard case .map(let entries) = overlay.value else {
            report.add(
                at: overlay.mark,
                "expected settings, found \(overlay.found)",
                mend: "write `name: value` pairs"
            )
            return false
        }
        let live = spec.fields.filter(\.isLive).map(\.name)
        var isLive = true
        for entry in entries where !live.contains(entry.key) {
            isLive = false
            let isField = spec.fields.contains { $0.name == entry.key }
            report.add(
                at: entry.keyMark,
                isField ? "`\(entry.key)` cannot change with the mode" : "unknown setting `\(entry.key)`",
                mend: isField
                    ? live.isEmpty
                        ? "\(spec.type) has no setting that can; take it away"
                        : "modes may set \(live.map { "`\($0)`" }.joined(separator: ", "))"
                    : Suggestion.remedy(for: entry.key, among: live)
            )
        }
        return isLive
    }

    /// Where a claim was written: the setting that holds its address or file, else the node.
    func mark(of claim: Claim) -> Mark {
        let text =
            switch claim {
            case .listen(let address, _, _): address
            case .readsFile(let path), .writesFile(let path), .loadsFile(let path, _): path
            }
        return ([config] + modes.keys.sorted().compactMap { modes[$0] }).lazy
            .compactMap { $0.mark(ofScalar: text) }.first ?? mark
    }
}

extension ConfigTree {
    /// Where a scalar with this text stands.
    fileprivate func mark(ofScalar text: String) -> Mark? {
        switch value {
        case .null: nil
        case .scalar(let found, _): found == text ? mark : nil
        case .list(let items): items.lazy.compactMap { $0.mark(ofScalar: text) }.first
        case .map(let entries): entries.lazy.compactMap { $0.value.mark(ofScalar: text) }.first
        }
    }
}
