public import PhoenixModel

extension ConfigTree {
    /// An empty map, for a node that is named and not set.
    public static func empty(at mark: Mark) -> Self { .init(.map([]), at: mark) }

    /// The value of a key of a map.
    public subscript(key: String) -> ConfigTree? {
        guard case .map(let entries) = value else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The entries of a map; none for anything else.
    public var entries: [Entry] {
        guard case .map(let entries) = value else { return [] }
        return entries
    }

    /// This tree with another laid over it: maps merge key by key, lists and scalars replace, nothing (`null`) takes a key
    /// away; a key of an `exclusive` group takes the others of its group away.
    public func overlaid(by overlay: ConfigTree, exclusive: [[String]] = []) -> ConfigTree {
        guard case .map(let over) = overlay.value else { return overlay }
        var entries = self.entries
        for entry in over {
            for group in exclusive where group.contains(entry.key) {
                let written = Set(over.map(\.key))
                entries.removeAll { group.contains($0.key) && !written.contains($0.key) }
            }
            guard let index = entries.firstIndex(where: { $0.key == entry.key }) else {
                if entry.value.isNull { continue }
                entries.append(entry)
                continue
            }
            if entry.value.isNull {
                entries.remove(at: index)
                continue
            }
            let merged: ConfigTree =
                if case .map = entry.value.value, case .map = entries[index].value.value {
                    entries[index].value.overlaid(by: entry.value)
                } else {
                    entry.value
                }
            entries[index] = Entry(key: entry.key, keyMark: entry.keyMark, value: merged)
        }
        return ConfigTree(.map(entries), at: mark)
    }

    var isNull: Bool {
        if case .null = value { return true }
        return false
    }
}

extension Graph.Vertex {
    /// The node's whole settings in a mode; in none, those that hold while no controller has spoken.
    public func config(in mode: Mode?, exclusive: [[String]] = []) -> ConfigTree {
        guard let mode, let overlay = modes[mode] else { return config }
        return config.overlaid(by: overlay, exclusive: exclusive)
    }
}
