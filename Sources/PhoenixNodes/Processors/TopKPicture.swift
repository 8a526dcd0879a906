import PhoenixModel
import PhoenixRuntime

/// What a top-K node remembers at one moment: who is in and what they did in the window, and the sums.
struct TopKPicture: StatePicture {
    let sums: any StatePicture
    let standings: LeaguePicture
    func write(to writer: inout StateWriter) throws {
        try standings.write(to: &writer)
        try sums.write(to: &writer)
    }
}

/// Who is who, and who is in.
struct LeaguePicture: Sendable {
    /// What tells entities and groups: under other settings the rest means nothing.
    var entity: [AttributeTarget]
    var group: [AttributeTarget]
    var window: UInt64
    var entries: [Ranking.Entry]

    func write(to writer: inout StateWriter) throws {
        for targets in [entity, group] {
            writer.write(targets.count)
            for target in targets { writer.write(target.text) }
        }
        writer.write(window)
        for entry in entries {
            writer.write(true)
            writer.write(entry.key.name.attributes)
            writer.write(entry.key.group.attributes)
            writer.write(entry.entity.lastSeen)
            writer.write(entry.entity.position)
            writer.write(UInt64(entry.entity.state.rawValue))
            writer.write(UInt64(entry.entity.place))
            writer.write(entry.shares)
            try writer.settle()
        }
        writer.write(false)
    }
    /// Moves all moments by so many nanoseconds, those of the window by whole shares of it.
    mutating func shift(by nanoseconds: Int64) {
        let share = Int64(max(1, window / UInt64(Ranking.shareCount)))
        let steps = nanoseconds / share
        guard steps != 0 else { return }
        let turn = Int(
            (steps % Int64(Ranking.shareCount) + Int64(Ranking.shareCount)) % Int64(Ranking.shareCount)
        )
        for index in entries.indices {
            entries[index].entity.lastSeen &+= UInt64(bitPattern: nanoseconds)
            entries[index].entity.position &+= UInt64(bitPattern: steps)
            entries[index].shares = Array(
                entries[index].shares.suffix(turn) + entries[index].shares.dropLast(turn)
            )
        }
    }
    static func read(from reader: inout StateReader) throws -> LeaguePicture {
        func targets(_ reader: inout StateReader) throws -> [AttributeTarget] {
            try (0..<(try reader.count())).map { _ in AttributeTarget(stringLiteral: try reader.text()) }
        }
        var picture = LeaguePicture(
            entity: try targets(&reader),
            group: try targets(&reader),
            window: try reader.number(),
            entries: []
        )
        while try reader.flag() {
            let key = Ranking.Key(
                name: AttributeSet(try reader.attributes()),
                group: AttributeSet(try reader.attributes())
            )
            var entity = Ranking.Entity()
            (entity.lastSeen, entity.position) = (try reader.number(), try reader.number())
            entity.state = .init(rawValue: UInt8(truncatingIfNeeded: try reader.number()))
            entity.place = UInt32(truncatingIfNeeded: try reader.number())
            picture.entries.append(.init(key: key, entity: entity, shares: try reader.doubles()))
        }
        return picture
    }
}

extension League {
    /// By the clock of the world, which another process goes by: it may have been set since this one began.
    var picture: LeaguePicture {
        let (window, entries) = withRanking { ($0.rules.window, $0.entries) }
        var picture = LeaguePicture(entity: entity, group: group, window: window, entries: entries)
        picture.shift(by: clockShift)
        return picture
    }
    /// Goes on with who was in, where entities and groups are told by the same attributes as then.
    func read(from reader: inout StateReader, _ rules: Ranking.Rules) throws {
        let picture = try LeaguePicture.read(from: &reader)
        guard picture.entity == entity, picture.group == group else { return }
        let now = now
        withRanking { ranking in
            ranking.change(to: rules, at: now)
            for entry in picture.entries { ranking.restore(entry, window: picture.window, at: now) }
        }
    }
}
