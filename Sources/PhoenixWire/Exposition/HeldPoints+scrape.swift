import PhoenixModel

extension HeldPoints {
    /// Writes until the page is full; false when the exposition was complete before.
    func fill(_ page: inout ExpositionPage, cursor id: UInt64) -> Bool {
        guard var cursor = cursors[id] else { return false }
        defer { cursors[id] = cursor }
        settleLevels()
        while true {
            switch cursor.phase {
            case .plain(let families):
                var bytes: [UInt8] = []
                for family in families where cursor.wants(family.exposedName) {
                    family.write(cursor.dialect.format, to: &bytes)
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
                if cursor.dialect.format == .openMetrics { page.write("# EOF\n") }
                cursor.phase = .done
                return true
            case .done: return false
            }
        }
    }

    private func writeTargets(_ page: inout ExpositionPage, _ cursor: ScrapeCursor) {
        let name = ExposedName(family: "target", sample: "target_info")
        guard options.exposesTargetInfo, cursor.wants(name) else { return }
        var blocks = entities.targets.blocks
        guard !blocks.isEmpty else { return }
        if let escaper = escaper(cursor.dialect) { blocks = blocks.map(escaper.escaped) }
        let help = "Target metadata"
        var bytes: [UInt8] = []
        if cursor.dialect.format == .protobuf {
            bytes = FamilyMessage.bytes(name, .info, help: help, blocks.map { (labels: $0, value: 1) })
        } else {
            bytes = FamilyHeader(name: name, type: .info, help: help).bytes(cursor.dialect.format)
            for block in blocks { bytes += Array("target_info{".utf8) + block + Array("} 1\n".utf8) }
        }
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
        guard cursor.dialect.format != .protobuf else { return writeMessages(family, &page, &cursor) }
        // One family's numbers are the bulk of a scrape: they have a loop of their own.
        let isNumber = family.type.isNumber
        let (format, name) = (cursor.dialect.format, family.name.escaped(cursor.dialect.escaping))
        let header =
            cursor.hasHeader
            ? [] : FamilyHeader(name: name, type: family.type, help: family.help).bytes(format)
        var line = SeriesLine(name, family.type, format: format, options: options, header: header)
        let escaper = escaper(cursor.dialect)
        defer { cursor.hasHeader = cursor.hasHeader || line.header.isEmpty }
        return entities.withRendered { rendered in
            eachShown(of: family, &cursor) { key, record in
                let labels = escaper.map { $0(rendered[record.entity]) } ?? rendered[record.entity]
                return isNumber
                    ? line.write(
                        record.number,
                        record.time,
                        labels,
                        to: &page,
                        exemplar: exemplars.isEmpty ? nil : exemplars[key].first,
                        created: created(key)
                    )
                    : line.write(
                        compounds[Int(record.value)]!,
                        record.time,
                        labels,
                        to: &page,
                        exemplars: exemplars.isEmpty ? [] : exemplars[key]
                    )
            }
        }
    }
    private func writeMessages(
        _ family: ExposedFamily,
        _ page: inout ExpositionPage,
        _ cursor: inout ScrapeCursor
    ) -> Bool {
        let isNumber = family.type.isNumber
        let name = family.name.escaped(cursor.dialect.escaping)
        var message = FamilyMessage(name, family.type, help: family.help, options)
        let escaper = escaper(cursor.dialect)
        let isWhole = entities.withRendered { rendered in
            eachShown(of: family, &cursor) { key, record in
                let labels = escaper.map { $0(rendered[record.entity]) } ?? rendered[record.entity]
                return isNumber
                    ? message.write(
                        record.number,
                        record.time,
                        labels,
                        to: &page,
                        exemplar: exemplars[key].first,
                        created: created(key)
                    )
                    : message.write(
                        compounds[Int(record.value)]!,
                        record.time,
                        labels,
                        to: &page,
                        exemplars: exemplars[key]
                    )
            }
        }
        message.close(&page)
        return isWhole
    }
    /// What labels have to pass through; nothing where they are written as they are shown.
    private func escaper(_ dialect: ExpositionDialect) -> LabelEscaper? {
        options.strategy.keepsUTF8 && dialect.escaping != .allowUTF8 ? LabelEscaper(dialect.escaping) : nil
    }
    /// When a number's series began; 0 where that is not kept. A merged series has no beginning that is known.
    @inline(__always)
    private func created(_ key: UInt32) -> UInt64 {
        options.sendsCreated && key & ExposedFamily.mergedBit == 0 ? starts[key] : 0
    }
    /// Goes over the members that are shown, from where the cursor stands, until one is not taken.
    @inline(__always)
    private func eachShown(
        of family: ExposedFamily,
        _ cursor: inout ScrapeCursor,
        _ write: (UInt32, HeldSeries) -> Bool
    ) -> Bool {
        let oldest = cursor.tick > expirationTicks ? cursor.tick - expirationTicks : 0
        while cursor.place < cursor.end {
            let place = cursor.place
            let key = family.members[place]
            let record = self[key]
            let isShown =
                record.position == place && isMember(record, of: family) && record.seen >= oldest
                && record.time != 0
            guard !isShown || write(key, record) else { return false }
            cursor.place += 1
        }
        return true
    }
}
