/// Where each series of a node goes: to an output series, nowhere, or aside; decided once per series, read per point.
///
/// Sixteen bytes a series, stamped with the generation of the input, so that a slot's next tenant is decided anew. The
/// caller decides what `read` could not answer and tells it by `set`.
public struct SeriesPlan: ~Copyable {
    /// What is decided of a series.
    public enum Ruling: Sendable, Hashable {
        case to(SeriesID)
        /// To an output that more than one input has: the point is not passed on as it is.
        case aside(SeriesID)
        /// Nowhere; the number, from 1 to 254, is the caller's word for why.
        case nowhere(reason: UInt8)
    }
    /// The answer to a column of series.
    public struct Column: Sendable {
        /// The output of each point; `SeriesID.none` where it has none.
        public var series: [SeriesID] = []
        /// The places whose series are not known, or were not kept alive for long: ask `ruling`, then decide.
        public var open: [Int] = []
        /// How many points go nowhere, by reason; empty where none does.
        public var nowhere: [UInt8: Int] = [:]
        /// How many points go aside.
        public var aside = 0
        /// Whether every output is its input.
        public var isUnchanged = true
        public init() {}
        /// Whether some point is not passed on as it is.
        public var hasGaps: Bool { aside > 0 || !nowhere.isEmpty }
    }
    private struct Entry: BitwiseCopyable, Sendable {
        var output: UInt64
        /// The input's; no series has generation 0.
        var generation: UInt32
        /// The low byte says what is decided, the other three when the output was last kept alive.
        var mark: UInt32
    }
    private static var asideMark: UInt8 { 255 }
    private var entries = SlotMap<Entry>(vacant: Entry(output: 0, generation: 0, mark: 0))
    private let refreshTicks: UInt32

    /// A plan whose outputs are to be kept alive every `refreshTicks` as long as their inputs come.
    public init(refreshTicks: UInt32) { self.refreshTicks = max(1, min(refreshTicks, 1 << 22)) }

    /// What the plan holds in memory, in bytes.
    public var byteCount: Int { entries.byteCount }

    /// The outputs of a column of series, as far as they are known at `tick`.
    public func read(_ ids: [SeriesID], tick: UInt32) -> Column {
        var column = Column()
        column.series = [SeriesID](unsafeUninitializedCapacity: ids.count) { outputs, count in
            ids.withUnsafeBufferPointer { ids in
                for index in 0..<ids.count {
                    let id = ids[index]
                    let entry = entries[id.slot]
                    let age = (tick &- entry.mark >> 8) & 0xff_ffff
                    if entry.generation == id.generation, entry.mark & 0xff == 0, age < refreshTicks {
                        outputs[index] = SeriesID(rawValue: entry.output)
                        if entry.output != id.rawValue { column.isUnchanged = false }
                    } else {
                        outputs[index] = .none
                        column.isUnchanged = false
                        Self.note(entry, of: id, at: index, in: &column)
                    }
                }
            }
            count = ids.count
        }
        return column
    }
    @inline(never)
    private static func note(_ entry: Entry, of id: SeriesID, at index: Int, in column: inout Column) {
        guard entry.generation == id.generation else { return column.open.append(index) }
        switch UInt8(truncatingIfNeeded: entry.mark) {
        case 0: column.open.append(index)
        case asideMark: column.aside += 1
        case let reason: column.nowhere[reason, default: 0] += 1
        }
    }

    /// What is decided of a series; nil where nothing is.
    public func ruling(_ id: SeriesID) -> Ruling? {
        let entry = entries[id.slot]
        guard entry.generation == id.generation, id.generation != 0 else { return nil }
        switch UInt8(truncatingIfNeeded: entry.mark) {
        case 0: return .to(SeriesID(rawValue: entry.output))
        case Self.asideMark: return .aside(SeriesID(rawValue: entry.output))
        case let reason: return .nowhere(reason: reason)
        }
    }

    /// The series that the plan knows in a slot.
    public func input(slot: UInt32) -> SeriesID? {
        let generation = entries[slot].generation
        return generation == 0 ? nil : SeriesID(slot: slot, generation: generation)
    }

    /// Decides, at `tick`.
    public mutating func set(_ id: SeriesID, to ruling: Ruling, tick: UInt32) {
        let entry = entries.element(id.slot)
        let time = tick << 8
        switch ruling {
        case .to(let output):
            entry.pointee = Entry(output: output.rawValue, generation: id.generation, mark: time)
        case .aside(let output):
            entry.pointee = Entry(
                output: output.rawValue,
                generation: id.generation,
                mark: time | UInt32(Self.asideMark)
            )
        case .nowhere(let reason):
            entry.pointee = Entry(output: 0, generation: id.generation, mark: time | UInt32(reason))
        }
    }

    /// Forgets the series that `isStale` names; a pass over the whole plan.
    public mutating func sweep(where isStale: (SeriesID) -> Bool) {
        entries.sweep { slot, entry in
            guard entry.generation != 0 else { return false }
            if isStale(SeriesID(slot: slot, generation: entry.generation)) {
                entry = Entry(output: 0, generation: 0, mark: 0)
                return false
            }
            return true
        }
    }
    /// Takes over what an older plan decided of slots of which this one knows nothing.
    public mutating func adopt(_ older: consuming SeriesPlan) {
        var older = older
        older.entries.sweep { slot, entry in
            guard entry.generation != 0 else { return false }
            let own = entries.element(slot)
            if own.pointee.generation == 0 { own.pointee = entry }
            return true
        }
    }
    /// Forgets everything: each series is decided anew when it comes again.
    public mutating func removeAll() { entries.removeAll() }
}

extension SeriesID {
    /// No series: generations of series are never 0.
    public static let none = SeriesID(rawValue: 0)
}
