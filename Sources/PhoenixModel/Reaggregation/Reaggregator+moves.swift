/// An input that came, or went from one output to another: what it had told by then counts where it was, what it grows by
/// from then on counts where it goes.
struct Move: Sendable {
    var slot: UInt32
    var generation: UInt32
    /// Where it was, with the point that it told last; nil for one that is new.
    var left: (output: SeriesKey, member: Member, point: Point)?
    /// Nil where its points go nowhere from then on.
    var to: SeriesKey?
    enum Point: Sendable {
        case number
        case compound(KeptPoint)
    }
}

/// A point of several numbers that is kept for itself.
final class KeptPoint: Sendable {
    let row: CompoundRow
    init(_ row: CompoundRow) { self.row = row }
    deinit { row.release() }
}

/// Moves, to be written before what they lead to is shown.
public struct Moves: Sendable {
    let all: [Move]
    let table: SeriesTable
    let now: UInt64

    public func write(to writer: inout StateWriter) throws {
        for move in all {
            let id = SeriesID(slot: move.slot, generation: move.generation)
            guard let series = table.series(id) else { continue }
            writer.write(true)
            writer.write(now)
            writer.write(series)
            write(move.left?.output, to: &writer)
            if let left = move.left {
                left.member.write(to: &writer)
                left.point.write(to: &writer)
            }
            write(move.to, to: &writer)
            try writer.settle()
        }
        writer.write(false)
    }
    private func write(_ output: SeriesKey?, to writer: inout StateWriter) {
        writer.write(output != nil)
        guard let output else { return }
        let series = table.series(kept: output)
        for set in [series.resource, series.attributes] { writer.write(set) }
    }
}
extension Move.Point {
    func write(to writer: inout StateWriter) {
        switch self {
        case .number: CompoundRow.none.write(to: &writer)
        case .compound(let point): point.row.write(to: &writer)
        }
    }
    init(from reader: inout StateReader) throws {
        let row = try CompoundRow.point(from: &reader)
        self = row.isNone ? .number : .compound(KeptPoint(row))
    }
}

/// What a picture cannot know: inputs that came or changed place after it was taken. Written down before anything shows
/// what they grow by in their new place, and read after the picture, so that each increase is counted again where it was.
///
/// Of a series with several writers only the one that is followed.
extension Reaggregator {
    /// Notes an input that comes to an output, or leaves the one that it is in.
    mutating func noteMove(_ slot: UInt32, to number: UInt32) {
        let member = members[slot]
        guard member.state.contains(.isCumulative) else { return }
        var move = Move(slot: slot, generation: member.generation)
        if member.state.contains(.hasValue), member.output < Self.firstDropped {
            move.left = (names[member.output], member, lastPoint(slot))
        }
        if number < Self.firstDropped { move.to = names[number] }
        moves.append(move)
    }
    private func lastPoint(_ slot: UInt32) -> Move.Point {
        let row = compounds.points[slot]
        return row.isNone ? .number : .compound(KeptPoint(row.copy()))
    }
    /// The moves since this was last called; nil where there were none.
    public mutating func takeMoves() -> Moves? {
        guard !moves.isEmpty else { return nil }
        defer { moves.removeAll() }
        return Moves(all: moves, table: table, now: now)
    }

    /// Has inputs move as they did.
    public mutating func readMoves(from reader: inout StateReader) throws {
        while try reader.flag() {
            let noted = try reader.number()
            let id = try reader.series(table)
            let from = try destination(&reader)
            let left = from == nil ? nil : (try Member(from: &reader), try Move.Point(from: &reader))
            let to = try destination(&reader) ?? .drop(reason: 0)
            guard let id else { continue }
            begin(noted)
            if let from, let left { tell(left.0, left.1, of: id, in: from) }
            stand(id, to)
            // It was shown by the process before.
            _ = emit(epoch: 0)
        }
    }
    private func destination(_ reader: inout StateReader) throws -> Destination? {
        guard try reader.flag() else { return nil }
        return .output(resource: try reader.set(table), attributes: try reader.set(table))
    }
    /// Puts an input where it was, known or not.
    private mutating func stand(_ id: SeriesID, _ place: Destination) {
        if members[id.slot].generation == id.generation {
            move(id.slot) { _ in place }
        } else if !find(id, { _ in place }) {
            return
        }
        stay(id.slot)
    }
    /// Has an input stay where it is until it tells something.
    mutating func stay(_ slot: UInt32) {
        let member = members.element(slot)
        guard member.pointee.state.contains(.isCumulative), !member.pointee.state.contains(.isBehind) else {
            return
        }
        member.pointee.state.insert(.isBehind)
        behind += 1
    }
    private mutating func tell(_ member: Member, _ point: Move.Point, of id: SeriesID, in output: Destination)
    {
        stand(id, output)
        let header = CompoundHeader(id: id, time: member.time, start: member.start, flags: [])
        switch point {
        case .number:
            var parts = MetricBatch.Parts()
            parts.numbers.append(
                id,
                time: member.time,
                start: member.start,
                bits: member.value,
                flags: member.state.contains(.isInteger) ? .isInteger : []
            )
            applyNumbers(parts.numbers) { _ in output }
        case .compound(let point): withExtendedLifetime(point) { book(point.row, header) { _ in output } }
        }
    }
    private mutating func book(_ row: CompoundRow, _ header: CompoundHeader, _ resolve: Resolve) {
        switch row.kind {
        case .histogram: book(HistogramPoint(row), header, resolve)
        case .exponential: _ = bookCompound(ExponentialPoint(row), header, resolve)
        case .summary: _ = bookCompound(SummaryPoint(row), header, resolve)
        default: break
        }
    }

    /// Asks inputs that were behind, and have now told what they grew by, where they go from here on.
    mutating func catchUp(_ batch: MetricBatch, _ resolve: Resolve) {
        for column in [
            batch.numbers.series, batch.histograms.series, batch.exponentials.series, batch.summaries.series,
        ] {
            for id in column {
                let member = members.element(id.slot)
                guard member.pointee.generation == id.generation, member.pointee.state.contains(.isBehind)
                else {
                    continue
                }
                member.pointee.state.remove(.isBehind)
                behind -= 1
                move(id.slot, resolve)
            }
        }
    }
}
