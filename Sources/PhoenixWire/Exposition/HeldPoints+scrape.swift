import PhoenixModel

extension HeldPoints {
    /// Writes until the page is full; false when the exposition was complete before.
    func fill(_ page: inout ExpositionPage, cursor id: UInt64) -> Bool {
        guard var cursor = cursors[id] else { return false }
        defer { cursors[id] = cursor }
        while true {
            switch cursor.phase {
            case .plain(let families):
                var bytes: [UInt8] = []
                for family in families where cursor.wants(family.exposedName) {
                    family.write(cursor.format, to: &bytes)
                }
                page.grow(for: bytes.count)
                page.write(bytes)
                cursor.phase = cursor.showsSeries ? .families : .end
            case .families:
                guard writeFamilies(&page, &cursor) else { return true }
                cursor.phase = .targets
            case .targets:
                writeTargets(&page, cursor)
                cursor.phase = .end
            case .end:
                page.grow(for: 8)
                if cursor.format == .openMetrics { page.write("# EOF\n") }
                cursor.phase = .done
                return true
            case .done: return false
            }
        }
    }

    private func writeTargets(_ page: inout ExpositionPage, _ cursor: ScrapeCursor) {
        let name = ExposedName(family: "target", sample: "target_info")
        guard options.exposesTargetInfo, cursor.wants(name) else { return }
        let blocks = entities.targets.blocks
        guard !blocks.isEmpty else { return }
        var bytes = FamilyHeader(name: name, type: .info, help: "Target metadata").bytes(cursor.format)
        for block in blocks { bytes += Array("target_info{".utf8) + block + Array("} 1\n".utf8) }
        page.grow(for: bytes.count)
        page.write(bytes)
    }

    /// Writes families from where the cursor stands; false when the page is full, true when there are no more.
    private func writeFamilies(_ page: inout ExpositionPage, _ cursor: inout ScrapeCursor) -> Bool {
        while true {
            if let family = cursor.family {
                guard family.isRemoved || writeMembers(family, &page, &cursor) else { return false }
                cursor.family = nil
            }
            guard let next = families.family(after: cursor.name) else { return true }
            cursor.name = next.name.family
            guard cursor.wants(next.name) else { continue }
            (cursor.family, cursor.place, cursor.end) = (next, 0, next.members.count)
            cursor.hasHeader = false
        }
    }
    private func writeMembers(
        _ family: ExposedFamily,
        _ page: inout ExpositionPage,
        _ cursor: inout ScrapeCursor
    ) -> Bool {
        let first = cursor.place
        // Before the page goes out.
        defer { if journal != nil { note(family, first..<cursor.place) } }
        let oldest = cursor.tick > expirationTicks ? cursor.tick - expirationTicks : 0
        // One family's numbers are the bulk of a scrape: they have a loop of their own.
        let isNumber = family.type == .counter || family.type == .gauge
        let header =
            cursor.hasHeader
            ? []
            : FamilyHeader(
                name: family.name,
                type: family.type,
                help: family.help
            ).bytes(cursor.format)
        var line = SeriesLine(family: family, format: cursor.format, options: options, header: header)
        defer { cursor.hasHeader = cursor.hasHeader || line.header.isEmpty }
        return entities.withRendered { rendered in
            while cursor.place < cursor.end {
                let place = cursor.place
                let key = family.members[place]
                let record = self[key]
                guard record.position == place, isMember(record, of: family), record.seen >= oldest,
                    record.time != 0
                else {
                    cursor.place += 1
                    continue
                }
                let labels = rendered[record.entity]
                let isWritten =
                    isNumber
                    ? line.write(
                        record.number,
                        record.time,
                        labels,
                        to: &page,
                        exemplar: exemplars.isEmpty ? nil : exemplars[key].first,
                        created: options.sendsCreated ? starts[key & ~ExposedFamily.mergedBit] : 0
                    )
                    : line.write(
                        compounds[Int(record.value)]!,
                        record.time,
                        labels,
                        to: &page,
                        exemplars: exemplars.isEmpty ? [] : exemplars[key]
                    )
                guard isWritten else { return false }
                cursor.place += 1
            }
            return true
        }
    }
}
