import PhoenixModel

/// The processes that are known: who is new, who is another under an old number, who has ended.
struct ProcessRoster: Sendable {
    private struct Member: Sendable {
        var startTicks: UInt64
        /// As the kernel knows it: a program that another took the place of has another.
        var name: String
        /// nil for one that is not told of.
        var entity: HostEntity?
        var round: UInt64
    }
    private var members: [Int64: Member] = [:]
    private var round: UInt64 = 0
    /// How many are told of.
    private(set) var told = 0
    /// How many there were in each state, in this round.
    private(set) var states = Self.nobody
    private static let nobody = ["running": 0, "sleeping": 0, "stopped": 0, "defunct": 0] as [String: UInt64]

    /// What was read of a process.
    struct Sight: Sendable {
        var pid: Int64
        var statistics: ProcessStatistics
        var status: ProcessStatus
    }
    enum Outcome: Sendable, Equatable {
        case told
        /// It is not selected.
        case passedOver
        /// There are as many as may be told of.
        case overLimit
    }

    mutating func beginRound() {
        round += 1
        states = Self.nobody
    }

    /// Notes a process that was seen, and appends what it does.
    mutating func see(
        _ sight: Sight,
        by reader: inout ProcessReader,
        _ selection: ProcessSelection,
        bootTime: UInt64?,
        at now: UInt64,
        to destination: inout HostEntity.Destination
    ) -> Outcome {
        states[sight.statistics.stateName, default: 0] += 1
        var member = members[sight.pid]
        if let known = member, known.startTicks != sight.statistics.startTicks {
            end(known, at: now, &destination)
            member = nil
        }
        if member?.name != sight.statistics.name {
            member = identified(sight, after: member, by: reader, selection, bootTime, now, &destination)
        }
        guard var member else {
            members[sight.pid] = nil
            return .overLimit
        }
        member.round = round
        defer { members[sight.pid] = member }
        guard member.entity != nil else { return .passedOver }
        let readings = reader.readings(of: sight.pid, sight.statistics, sight.status)
        member.entity?.append(readings, of: .process, at: now, to: &destination)
        return .told
    }

    /// A process is there, and cannot be read for once: it has not ended.
    mutating func note(_ pid: Int64) { members[pid]?.round = round }

    /// All that were not seen in this round have ended.
    mutating func endRound(at now: UInt64, to destination: inout HostEntity.Destination) {
        for (pid, member) in members.filter({ $0.value.round != round }).sorted(by: { $0.key < $1.key }) {
            end(member, at: now, &destination)
            members[pid] = nil
        }
    }
    private mutating func end(
        _ member: Member,
        at now: UInt64,
        _ destination: inout HostEntity.Destination
    ) {
        guard var entity = member.entity else { return }
        entity.end(at: now, to: &destination)
        told -= 1
    }

    /// A process that is new, or runs another program than before; nil where there is no room for it.
    private mutating func identified(
        _ sight: Sight,
        after old: Member?,
        by reader: ProcessReader,
        _ selection: ProcessSelection,
        _ bootTime: UInt64?,
        _ now: UInt64,
        _ destination: inout HostEntity.Destination
    ) -> Member? {
        let attributes = reader.attributes(of: sight.pid, sight.statistics, sight.status)
        if var old, let entity = old.entity, Self.areSame(entity.attributes, attributes) {
            // It calls itself something else, and is what it was.
            old.name = sight.statistics.name
            return old
        }
        if let old { end(old, at: now, &destination) }
        let name = attributes.first { $0.key == "process.executable.name" }?.value.text ?? ""
        let (ticks, overflows) = sight.statistics.startTicks.multipliedReportingOverflow(
            by: KernelTicks.nanoseconds
        )
        var member = Member(
            startTicks: sight.statistics.startTicks,
            name: sight.statistics.name,
            entity: nil,
            round: round
        )
        guard selection.takes(name) else { return member }
        guard told < selection.limit else { return nil }
        let start = bootTime.map { overflows ? now : min(now, $0 &+ ticks) } ?? 0
        member.entity = HostEntity(attributes, start: start, .withBearer)
        told += 1
        return member
    }
    /// Whether two sets name one process: one whose parent ended has another.
    private static func areSame(_ old: [Attribute], _ new: [Attribute]) -> Bool {
        func lasting(_ attributes: [Attribute]) -> [Attribute] {
            attributes.filter { $0.key != "process.parent_pid" }
        }
        return lasting(old) == lasting(new)
    }
}
