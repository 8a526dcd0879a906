import PhoenixModel

/// What is decided once per series, read per point: a column of series through a plan, in the order of arrival and not.
enum Plans {
    static func run() {
        for series in [30_000, 3_000_000] {
            var plan = SeriesPlan(refreshTicks: 100)
            let ids = (0..<UInt32(series)).map { SeriesID(slot: $0, generation: 2) }
            for id in ids {
                plan.set(id, to: .to(SeriesID(slot: id.slot + UInt32(series), generation: 2)), tick: 1)
            }
            time("plan, \(series) series in order", plan, ids)
            var random = Generator(state: 7)
            time("plan, \(series) series at random", plan, ids.shuffled(using: &random))
        }
    }
    private static func time(_ name: String, _ plan: borrowing SeriesPlan, _ ids: [SeriesID]) {
        let batches = stride(from: 0, to: ids.count - 1500, by: 1500).map { Array(ids[$0..<$0 + 1500]) }
        var open = 0
        var best = Double.infinity
        for _ in 0..<5 {
            let start = Micro.cpuSeconds
            for batch in batches { open += plan.read(batch, tick: 2).open.count }
            best = min(best, Micro.cpuSeconds - start)
        }
        precondition(open == 0)
        Micro.report(name, best, per: batches.count * 1500)
    }
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 31
        }
    }
}
