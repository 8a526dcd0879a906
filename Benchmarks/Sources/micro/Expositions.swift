import LoadShape
import PhoenixModel
import PhoenixWire

/// Batches into an endpoint's store, and a scrape out of it.
enum Expositions {
    static func run() throws {
        for series in [30_000, 300_000] {
            var load = Micro.load(series: series, points: 1500)
            let table = SeriesTable()
            let decoder = OTLPDecoder(table: table, lane: "bench")
            var options = ExpositionOptions()
            (options.namespace, options.convertsResource) = ("phoenix_full_final_output", true)
            let store = ExpositionStore(options)
            var best = Double.infinity
            for round in 1...6 {
                Micro.advance(&load, round)
                var batches: [MetricBatch] = []
                for body in load.bodies {
                    let refusals = try body.bytes.withUnsafeBytes { try decoder.decode($0) }
                    precondition(refusals.total == 0)
                    if let batch = decoder.takeBatch(epoch: 0) { batches.append(batch) }
                }
                let seconds = Micro.best(of: 1) {
                    for batch in batches { store.ingest(batch, table, now: .seconds(round)) }
                }
                // The first pass makes what is kept for each series.
                if round > 1 { best = min(best, seconds) }
            }
            Micro.report("exposition, taking in, \(series) series", best, per: load.points)
            var size = 0
            let scrape = Micro.best(of: 4) {
                size = 0
                let scrape = store.scrape(.text, now: .seconds(7))
                while let piece = scrape.next() { size += piece.readableBytes }
            }
            let rate = (Double(size) / scrape / 1e8).rounded() / 10
            Micro.report("exposition, a scrape, \(series) series", scrape, per: series, "\(rate) GB/s")
        }
    }
}
