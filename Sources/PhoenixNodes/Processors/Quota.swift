import PhoenixModel

/// Which series have a place of their own under limits, and which are past them: first come, first served.
///
/// Who has a place keeps it while it lives. Who is past a limit gets the place of one that is not seen any more, in the
/// order of arrival. Where the limits change, those who came first stay. Knows slots, not attributes: no clock, no lock.
final class Quota {
    struct Rules: Sendable, Equatable {
        var total: Int?
        var perMetric: Int?
        /// By the name of the metric, in place of `perMetric`.
        var metrics: [String: Int] = [:]
        /// How many values each limited attribute may have.
        var values: [Int] = []
        func limit(of metric: String) -> Int? { metrics[metric] ?? perMetric }
    }
    /// Which limit a series is past.
    enum Cause: UInt8, CaseIterable, BitwiseCopyable, Sendable {
        case metric = 1
        case attribute
        case total
        var label: String {
            switch self {
            case .metric: "metric"
            case .attribute: "attribute"
            case .total: "total"
            }
        }
    }
    /// A series that was not seen before.
    struct Newcomer {
        var metric: String
        /// The values of the limited attributes, in the order of the rules.
        var values: [AttributeValue?]
        var isExempt: Bool
    }
    /// How a metric fares.
    struct Tally: Sendable, Equatable {
        var name: String
        var admitted = 0
        var past = 0
    }
    private struct Seat: BitwiseCopyable, Sendable {
        var order: UInt64 = 0
        /// Of the series id; 0 where nobody sits.
        var generation: UInt32 = 0
        /// In seconds of the caller's clock.
        var seen: UInt32 = 0
        var metric: UInt32 = 0
        /// A cause; 0 for those who are in.
        var cause: UInt8 = 0
        var isExempt = false
    }
    private(set) var rules: Rules
    private var seats = SlotMap<Seat>(vacant: Seat())
    private var tallies: [Tally] = []
    private var numbers: [String: UInt32] = [:]
    /// Numbers of tallies that nobody counts in any more.
    private var vacant: [UInt32] = []
    /// Who has which values of the limited attributes; empty without such limits.
    private var values: [UInt32: [AttributeValue?]] = [:]
    /// For each limited attribute how many series with a place have a value.
    private var uses: [[AttributeValue: Int]]
    private var arrivals: UInt64 = 0
    /// Whether somebody who had a place left since those who wait were last asked.
    private var isPlaceFree = false
    /// Series with a place, and without.
    private(set) var admitted = 0
    private(set) var past = 0

    init(_ rules: Rules) {
        self.rules = rules
        uses = rules.values.map { _ in [:] }
    }

    /// Why a series has no place of its own; nil where it has one, or is not known.
    func cause(of id: SeriesID) -> Cause? {
        let seat = seats[id.slot]
        return seat.generation == id.generation ? Cause(rawValue: seat.cause) : nil
    }
    func knows(_ id: SeriesID) -> Bool { seats[id.slot].generation == id.generation }
    /// Notes that a series was seen; false where it is not known: `take` it then.
    @inline(__always)
    func see(_ id: SeriesID, at second: UInt32, _ causes: inout [Int]) -> Bool {
        let seat = seats.element(id.slot)
        guard seat.pointee.generation == id.generation else { return false }
        seat.pointee.seen = second
        causes[Int(seat.pointee.cause)] += 1
        return true
    }
    /// Gives a series a place, or says which limit it is past.
    func take(_ id: SeriesID, _ newcomer: Newcomer, at second: UInt32) {
        leave(id.slot)
        let number = number(of: newcomer.metric)
        arrivals += 1
        if !rules.values.isEmpty { values[id.slot] = newcomer.values }
        seats.element(id.slot).pointee = Seat(
            order: arrivals,
            generation: id.generation,
            seen: second,
            metric: number,
            cause: 0,
            isExempt: newcomer.isExempt
        )
        place(id.slot)
    }

    /// Takes the places of those not seen since a second; answers the slots of those who got one of them.
    func sweep(before second: UInt32) -> [UInt32] {
        var lapsed: [UInt32] = []
        var waiting: [(order: UInt64, slot: UInt32)] = []
        seats.sweep { slot, seat in
            guard seat.generation != 0 else { return false }
            if seat.seen < second {
                lapsed.append(slot)
            } else if seat.cause != 0 {
                waiting.append((seat.order, slot))
            }
            return true
        }
        for slot in lapsed { leave(slot) }
        dropTallies()
        guard isPlaceFree else { return [] }
        isPlaceFree = false
        return waiting.sorted { $0.order < $1.order }.map(\.slot).filter { reseat($0) }
    }

    /// Judges all by other limits; answers the slots of those who changed place.
    ///
    /// The limited attributes stay the same: with others, begin anew.
    func change(to rules: Rules) -> [UInt32] {
        guard rules != self.rules else { return [] }
        self.rules = rules
        var all: [(isPast: Bool, order: UInt64, slot: UInt32)] = []
        seats.sweep { slot, seat in
            guard seat.generation != 0 else { return false }
            all.append((seat.cause != 0, seat.order, slot))
            return true
        }
        for entry in all { count(entry.slot, by: -1) }
        all.sort { $0.isPast != $1.isPast ? !$0.isPast : $0.order < $1.order }
        for entry in all { place(entry.slot) }
        return all.filter { (seats[$0.slot].cause != 0) != $0.isPast }.map(\.slot)
    }

    /// A series that is known: when it came, and whether it is past a limit.
    struct Guest: Sendable {
        var id: SeriesID
        var order: UInt64
        var isPast: Bool
    }
    /// All that are known, in no order.
    var guests: [Guest] {
        var guests: [Guest] = []
        seats.sweep { slot, seat in
            guard seat.generation != 0 else { return false }
            let id = SeriesID(slot: slot, generation: seat.generation)
            guests.append(Guest(id: id, order: seat.order, isPast: seat.cause != 0))
            return true
        }
        return guests
    }

    /// How many metrics are counted: those with series that are known, and those without until they are swept.
    var metrics: Int { numbers.count }
    /// The metrics with most series past a limit, the worst first.
    func offenders(_ count: Int) -> [Tally] {
        Array(tallies.filter { $0.past > 0 }.sorted { ($1.past, $0.name) < ($0.past, $1.name) }.prefix(count))
    }

    private func number(of metric: String) -> UInt32 {
        if let known = numbers[metric] { return known }
        let number = vacant.popLast() ?? UInt32(tallies.count)
        if Int(number) == tallies.count {
            tallies.append(Tally(name: metric))
        } else {
            tallies[Int(number)] = Tally(name: metric)
        }
        numbers[metric] = number
        return number
    }
    /// Forgets metrics without series: senders choose the names, and nothing else would bound how many there are.
    private func dropTallies() {
        for (metric, number) in numbers {
            let tally = tallies[Int(number)]
            guard tally.admitted == 0, tally.past == 0 else { continue }
            numbers[metric] = nil
            tallies[Int(number)] = Tally(name: "")
            vacant.append(number)
        }
    }
    /// Decides for a seat that is not counted, and counts it.
    private func place(_ slot: UInt32) {
        let seat = seats[slot]
        seats.element(slot).pointee.cause = seat.isExempt ? 0 : refusal(slot, seat)?.rawValue ?? 0
        count(slot, by: 1)
    }
    private func reseat(_ slot: UInt32) -> Bool {
        count(slot, by: -1)
        place(slot)
        return seats[slot].cause == 0
    }
    private func refusal(_ slot: UInt32, _ seat: Seat) -> Cause? {
        let tally = tallies[Int(seat.metric)]
        if let limit = rules.limit(of: tally.name), tally.admitted >= limit { return .metric }
        for (index, limit) in rules.values.enumerated() {
            guard let value = values[slot]?[index], uses[index][value] == nil else { continue }
            if uses[index].count >= limit { return .attribute }
        }
        if let limit = rules.total, admitted >= limit { return .total }
        return nil
    }
    private func count(_ slot: UInt32, by step: Int) {
        let seat = seats[slot]
        guard seat.cause == 0 else {
            past += step
            tallies[Int(seat.metric)].past += step
            return
        }
        admitted += step
        tallies[Int(seat.metric)].admitted += step
        for index in rules.values.indices {
            guard let value = values[slot]?[index] else { continue }
            let uses = (self.uses[index][value] ?? 0) + step
            self.uses[index][value] = uses > 0 ? uses : nil
        }
    }
    private func leave(_ slot: UInt32) {
        guard seats[slot].generation != 0 else { return }
        count(slot, by: -1)
        if seats[slot].cause == 0 { isPlaceFree = true }
        seats.element(slot).pointee = Seat()
        values[slot] = nil
    }
}
