import PhoenixModel
import PhoenixRuntime
import Testing

@testable import PhoenixNodes

/// Who has a place, against a list that is gone through from the start each time.
@Suite struct QuotaTests {
    private struct Guest {
        var slot: UInt32
        var generation: UInt32
        var metric: String
        var value: AttributeValue?
        var isExempt: Bool
        var seen: UInt32
        var order: Int
        var isPast = false
        var id: SeriesID { SeriesID(slot: slot, generation: generation) }
    }
    /// The rules of `Quota`, slowly.
    private struct Oracle {
        var rules: Quota.Rules
        var guests: [Guest] = []
        private var arrivals = 0
        private var isPlaceFree = false

        init(_ rules: Quota.Rules) { self.rules = rules }

        private func hasPlace(_ guest: Guest, among seated: [Guest]) -> Bool {
            if guest.isExempt { return true }
            if let limit = rules.limit(of: guest.metric),
                seated.filter({ $0.metric == guest.metric }).count >= limit
            {
                return false
            }
            if let limit = rules.values.first, let value = guest.value {
                let values = Set(seated.compactMap(\.value))
                if !values.contains(value), values.count >= limit { return false }
            }
            return seated.count < rules.total ?? .max
        }
        mutating func take(_ guest: Guest) {
            leave { $0.slot == guest.slot }
            var guest = guest
            arrivals += 1
            guest.order = arrivals
            guest.isPast = !hasPlace(guest, among: guests.filter { !$0.isPast })
            guests.append(guest)
        }
        mutating func sweep(before second: UInt32) {
            leave { $0.seen < second }
            if isPlaceFree { reseat(guests.filter(\.isPast)) }
            isPlaceFree = false
        }
        private mutating func leave(_ isLeaving: (Guest) -> Bool) {
            if guests.contains(where: { isLeaving($0) && !$0.isPast }) { isPlaceFree = true }
            guests.removeAll(where: isLeaving)
        }
        mutating func change(to rules: Quota.Rules) {
            guard rules != self.rules else { return }
            self.rules = rules
            let order = guests.filter { !$0.isPast }.map(\.order) + guests.filter(\.isPast).map(\.order)
            for index in guests.indices { guests[index].isPast = true }
            reseat(order.compactMap { number in guests.first { $0.order == number } })
        }
        private mutating func reseat(_ order: [Guest]) {
            for guest in order {
                guard let index = guests.firstIndex(where: { $0.order == guest.order }) else { continue }
                guests[index].isPast = !hasPlace(guest, among: guests.filter { !$0.isPast })
            }
        }
    }

    private static func rules(_ random: inout SeededGenerator) -> Quota.Rules {
        func limit(_ most: Int) -> Int? {
            Bool.random(using: &random) ? Int.random(in: 0...most, using: &random) : nil
        }
        return Quota.Rules(
            total: limit(12),
            perMetric: limit(6),
            metrics: limit(5).map { ["b": $0] } ?? [:],
            values: [Int.random(in: 0...6, using: &random)]
        )
    }

    @Test func seatsAsTheSlowOne() {
        for seed in 1...300 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let first = Self.rules(&random)
            let quota = Quota(first)
            var oracle = Oracle(first)
            var causes = [0, 0, 0, 0]
            for second in 10..<90 as Range<UInt32> {
                let slot = UInt32.random(in: 0..<20, using: &random)
                if let known = oracle.guests.firstIndex(where: { $0.slot == slot }),
                    Bool.random(using: &random)
                {
                    oracle.guests[known].seen = second
                    let isKnown = quota.see(oracle.guests[known].id, at: second, &causes)
                    #expect(isKnown)
                } else {
                    let guest = Guest(
                        slot: slot,
                        generation: second,
                        metric: ["a", "b", "c"].randomElement(using: &random)!,
                        value: Bool.random(using: &random)
                            ? .int(Int64.random(in: 0..<8, using: &random)) : nil,
                        isExempt: Int.random(in: 0..<8, using: &random) == 0,
                        seen: second,
                        order: 0
                    )
                    oracle.take(guest)
                    quota.take(
                        guest.id,
                        Quota.Newcomer(
                            metric: guest.metric,
                            values: [guest.value],
                            isExempt: guest.isExempt
                        ),
                        at: second
                    )
                }
                let before = Dictionary(uniqueKeysWithValues: oracle.guests.map { ($0.slot, $0.isPast) })
                var changed: [UInt32]?
                if second % 17 == 0 {
                    oracle.sweep(before: second - 10)
                    changed = quota.sweep(before: second - 10)
                } else if second % 29 == 0 {
                    let next = Self.rules(&random)
                    oracle.change(to: next)
                    changed = quota.change(to: next)
                }
                for guest in oracle.guests {
                    #expect(
                        (quota.cause(of: guest.id) != nil) == guest.isPast,
                        "seed \(seed), second \(second)"
                    )
                }
                if let changed {
                    let moved = oracle.guests.filter { before[$0.slot] != $0.isPast }.map(\.slot)
                    #expect(Set(changed) == Set(moved), "seed \(seed), second \(second)")
                }
                #expect(quota.admitted == oracle.guests.filter { !$0.isPast }.count, "seed \(seed)")
                #expect(quota.past == oracle.guests.filter(\.isPast).count, "seed \(seed)")
            }
        }
    }

    @Test func namesTheWorstFirst() {
        let quota = Quota(Quota.Rules(perMetric: 1))
        for (slot, metric) in ["a", "b", "b", "b", "c", "c", "c"].enumerated() {
            quota.take(
                SeriesID(slot: UInt32(slot), generation: 1),
                Quota.Newcomer(metric: metric, values: [], isExempt: false),
                at: 1
            )
        }
        #expect(quota.offenders(1).map(\.name) == ["b"])
        #expect(quota.offenders(5).map(\.name) == ["b", "c"])
        #expect(quota.offenders(5).map(\.past) == [2, 2])
    }

    @Test func aSlotsNextTenantIsAnother() {
        let quota = Quota(Quota.Rules(total: 0))
        let (old, new) = (SeriesID(slot: 3, generation: 1), SeriesID(slot: 3, generation: 2))
        quota.take(old, Quota.Newcomer(metric: "m", values: [], isExempt: false), at: 1)
        #expect(quota.cause(of: old) == .total)
        #expect(quota.cause(of: new) == nil)
        quota.take(new, Quota.Newcomer(metric: "m", values: [], isExempt: true), at: 2)
        #expect(quota.cause(of: new) == nil)
        #expect((quota.admitted, quota.past) == (1, 0))
    }

    /// Senders choose the names of metrics: what they no longer send is not remembered.
    @Test func metricsWithoutSeriesAreForgotten() {
        let quota = Quota(Quota.Rules(perMetric: 1))
        func take(_ slot: UInt32, _ metric: String, at second: UInt32) {
            quota.take(
                SeriesID(slot: slot, generation: second),
                Quota.Newcomer(metric: metric, values: [], isExempt: false),
                at: second
            )
        }
        for round in 1...50 as ClosedRange<UInt32> {
            for index in 0..<20 as Range<UInt32> { take(index, "m\(round).\(index / 2)", at: round) }
            // Names of the round before, whose slots others have now, go with the next sweep.
            _ = quota.sweep(before: round)
            #expect(quota.metrics == 10)
            #expect((quota.admitted, quota.past) == (10, 10))
            #expect(quota.offenders(99).map(\.past) == Array(repeating: 1, count: 10))
        }
        take(20, "last", at: 51)
        take(21, "last", at: 51)
        #expect(quota.sweep(before: 51) == [])
        #expect(quota.metrics == 1)
        #expect(quota.offenders(9) == [Quota.Tally(name: "last", admitted: 1, past: 1)])
        #expect(quota.sweep(before: 52) == [])
        #expect(quota.metrics == 0)
        #expect((quota.admitted, quota.past) == (0, 0))
    }
}
