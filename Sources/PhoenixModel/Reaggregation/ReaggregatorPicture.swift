/// What a reaggregator remembers at one moment, to be written while it goes on: its counters and windows, and the last
/// points of their inputs. Gauges are not among it: their members tell them anew.
///
/// Taken by copying records, some fifty bytes an input and a hundred an output, and of histograms the rows of both; held
/// until it is let go.
public final class ReaggregatorPicture: Sendable {
    struct Input: Sendable {
        var slot: UInt32
        var member: Member
        var point: CompoundRow
    }
    struct Total: Sendable {
        var number: UInt32
        var name: SeriesKey
        var output: Output
        var total: CompoundRow
    }
    let table: SeriesTable
    let inputs: [Input]
    let totals: [Total]
    let twins: [UInt32: [Twin]]
    let compoundTwins: [UInt32: [CompoundTwin]]
    /// Those of the inputs, the totals and the twins.
    private let rows: RowCopies
    let horizons: (inputs: UInt64, freed: UInt64)
    let hasForgotten: Bool

    init(_ reaggregator: inout Reaggregator) {
        table = reaggregator.table
        var inputs: [Input] = []
        var totals: [Total] = []
        var rows = RowCopies()
        inputs.reserveCapacity(reaggregator.counts.members)
        totals.reserveCapacity(reaggregator.counts.outputs)
        for number in 0..<reaggregator.outputCount {
            let output = reaggregator.outputs[number]
            guard !output.state.contains(.isFree), output.kind != .gauge else { continue }
            let total = rows.copy(reaggregator.compounds.totals[number])
            totals.append(
                Total(number: number, name: reaggregator.names[number], output: output, total: total)
            )
        }
        let outputs = Set(totals.map(\.number))
        var (horizon, hasForgotten) = (reaggregator.horizon, reaggregator.hasForgotten)
        reaggregator.members.sweep { slot, member in
            guard member.generation != 0 else { return false }
            // What is told by others and not yet by itself is not written of an input: its past counts for none then.
            if member.state.contains(.isTold), !member.state.contains(.hasValue) {
                (horizon, hasForgotten) = (max(horizon, member.time), true)
            }
            // Also of those that go nowhere: what they told is told.
            let isFollowed = !member.state.isDisjoint(with: [.isCumulative, .isDelta])
            if isFollowed || outputs.contains(member.output) {
                inputs.append(Input(slot: slot, member: member, point: .none))
            }
            return true
        }
        for index in inputs.indices {
            inputs[index].point = rows.copy(reaggregator.compounds.points[inputs[index].slot])
        }
        table.keep(totals.map(\.name))
        (self.inputs, self.totals) = (inputs, totals)
        twins = reaggregator.twins
        compoundTwins = reaggregator.compounds.twins.mapValues {
            $0.map { CompoundTwin(member: $0.member, point: rows.copy($0.point)) }
        }
        self.rows = rows
        horizons = (horizon, reaggregator.freedHorizon)
        self.hasForgotten = hasForgotten
    }
    deinit { table.letGo(totals.map(\.name)) }

    public func write(to writer: inout StateWriter) throws {
        for horizon in [horizons.inputs, horizons.freed] { writer.write(horizon) }
        writer.write(hasForgotten)
        var places: [UInt32: Int] = [:]
        for (place, total) in totals.enumerated() {
            places[total.number] = place
            writer.write(true)
            writer.write(table.series(kept: total.name))
            total.output.write(to: &writer)
            total.total.write(to: &writer)
            try writer.settle()
        }
        writer.write(false)
        for input in inputs {
            let id = SeriesID(slot: input.slot, generation: input.member.generation)
            // One whose id went stale is about to be forgotten.
            guard let series = table.series(id) else { continue }
            writer.write(true)
            writer.write(series)
            writer.write(places[input.member.output].map { $0 + 1 } ?? 0)
            input.member.write(to: &writer)
            let others = input.member.state.contains(.hasTwins) ? twins[input.slot] ?? [] : []
            writer.write(others.count)
            for twin in others { twin.member.write(to: &writer) }
            input.point.write(to: &writer)
            if !input.point.isNone { (compoundTwins[input.slot] ?? []).write(to: &writer) }
            try writer.settle()
        }
        writer.write(false)
    }
}

extension Reaggregator {
    /// What is remembered now.
    public mutating func picture() -> ReaggregatorPicture { ReaggregatorPicture(&self) }

    /// Reads what a picture wrote into a reaggregator that has seen nothing. Throws `StateError`: then it is of no use.
    ///
    /// Inputs stand where they stood, until they have told what they grew by there: only then are they asked where they now
    /// go. Those that came in since, and those that the picture does not know, count by its horizon, not by the moment of
    /// reading: what they grew by is in no total yet.
    public mutating func read(from reader: inout StateReader) throws {
        (horizon, freedHorizon) = (try reader.number(), try reader.number())
        hasForgotten = try reader.flag()
        var places: [UInt32?] = []
        while try reader.flag() {
            let (resource, metric, attributes) = (
                try reader.set(table), try reader.metric(table), try reader.set(table)
            )
            let saved = try Output(from: &reader)
            let number = output(resource: resource, metric: metric, attributes: attributes)
            places.append(number)
            // Without room for it the total is lost, but what follows must be read all the same.
            guard let number else {
                var none = CompoundState()
                try none.read(total: 0, from: &reader)
                continue
            }
            outputs.element(number).pointee.restore(saved)
            try compounds.read(total: number, from: &reader)
        }
        while try reader.flag() { try readInput(&reader, places) }
        // Those that were silent for too long, our absence included, are forgotten before the first batch is counted.
        sweptAt = nowSeconds &- 60
    }
    private mutating func readInput(_ reader: inout StateReader, _ places: [UInt32?]) throws {
        let id = try reader.series(table)
        let place = try reader.count()
        guard place <= places.count else { throw StateError.malformed(what: "an input goes to no output") }
        var member = try Member(from: &reader)
        let others = try (0..<(try reader.count())).map { _ in Twin(member: try Member(from: &reader)) }
        guard let id, members[id.slot].generation == 0 else {
            var none = CompoundState()
            return try none.read(point: 0, from: &reader)
        }
        member.generation = id.generation
        member.output = Member.dropped
        if !others.isEmpty { twins[id.slot] = others }
        try compounds.read(point: id.slot, from: &reader)
        members.element(id.slot).pointee = member
        counts.members += 1
        guard place > 0, let number = places[place - 1] else { return }
        self.place(id.slot, at: number)
        stay(id.slot)
    }
}

extension Member: StateValue {
    func write(to writer: inout StateWriter) {
        writer.write(bits: value)
        for number in [start, time] { writer.write(number) }
        writer.write(seen)
        writer.write(UInt64(interval))
        writer.write(
            UInt64(state.intersection([.hasValue, .isInteger, .hasTwins, .isCumulative, .isDelta]).rawValue)
        )
    }
    init(from reader: inout StateReader) throws {
        self.init()
        (value, start, time) = (try reader.bits(), try reader.number(), try reader.number())
        seen = try reader.number32()
        interval = UInt16(truncatingIfNeeded: try reader.number())
        state = State(rawValue: UInt16(UInt8(truncatingIfNeeded: try reader.number())))
    }
}

extension Output: StateValue {
    func write(to writer: inout StateWriter) {
        sum.write(to: &writer)
        for number in [start, time, emitted] { writer.write(number) }
        writer.write(seen)
        writer.write(UInt64(state.rawValue))
    }
    init(from reader: inout StateReader) throws {
        self.init()
        sum = try ExactSum(from: &reader)
        (start, time, emitted) = (try reader.number(), try reader.number(), try reader.number())
        seen = try reader.number32()
        state = State(rawValue: UInt8(truncatingIfNeeded: try reader.number()))
    }
    /// Takes what was counted; what the output is, and who is in it, is its own.
    mutating func restore(_ saved: Output) {
        (sum, start, time, emitted, seen) = (saved.sum, saved.start, saved.time, saved.emitted, saved.seen)
        state.formUnion(saved.state.intersection([.hasEmitted, .hasBegun, .goesByOurClock]))
    }
}
