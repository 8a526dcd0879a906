import LoadShape
import PhoenixModel
import PhoenixWire

/// Points of histograms and of numbers through the whole engine, from requests to endpoints: what one costs beside the
/// other. One endpoint shows what came, another what a merge by `service.name` leaves of it.
enum Mixes {
    private static let series = 30_000
    private static let perBody = 1500
    private static let began: UInt64 = 1_700_000_000_000_000_000
    private static let rounds: ClosedRange<UInt64> = 1...40
    /// So many times a number point a histogram point may cost.
    private static let mark = 4

    /// The least CPU seconds of each step.
    private struct Costs {
        static let names = ["decode", "expose", "aggregate", "expose what is left", "the whole"]
        var steps = Array(repeating: Double.infinity, count: 4)
        var all: [Double] { steps + [steps.reduce(0, +)] }
    }

    static func run() throws {
        var numbers = Micro.load(series: series, points: perBody)
        let number = try cost("number") { round in
            Micro.advance(&numbers, Int(round))
            return numbers.bodies.map(\.bytes)
        }
        for (name, kind) in [("histogram", CompoundLoad.Kind.histogram), ("exponential", .exponential)] {
            var load = CompoundLoad(
                kind,
                bodies: series / perBody,
                pointsPerBody: perBody,
                startUnixNano: began + 1
            )
            let cost = try cost(name) { round in
                load.advance(to: began + round * 1_000_000_000, round: round)
                return load.bodies
            }
            let ratios = zip(cost.all, number.all).map { ($0 / $1 * 100).rounded() / 100 }
            let steps = zip(Costs.names, ratios).map { "\($0) \($1)" }.joined(separator: ", ")
            print("\(name) points to number points: \(steps) (mark: \(mark))")
        }
    }

    private static func cost(_ name: String, _ bodies: (UInt64) -> [[UInt8]]) throws -> Costs {
        let table = SeriesTable()
        let decoder = OTLPDecoder(table: table, lane: "bench")
        var options = ExpositionOptions()
        (options.namespace, options.convertsResource) = ("phoenix_full_final_output", true)
        let (full, reduced) = (ExpositionStore(options), ExpositionStore(options))
        var reaggregator = Reaggregator(table: table, lane: "out", watchingSince: began)
        var best = Costs()
        for round in rounds {
            var (points, costs) = (0, Costs(steps: [0, 0, 0, 0]))
            // Batch by batch, as they go through an engine.
            for body in bodies(round) {
                var (batch, merged) = (MetricBatch?.none, MetricBatch?.none)
                costs.steps[0] += try Micro.best(of: 1) {
                    let refusals = try body.withUnsafeBytes { try decoder.decode($0) }
                    precondition(refusals.total == 0)
                    batch = decoder.takeBatch(epoch: 0)
                }
                guard let batch else { continue }
                points += batch.count
                costs.steps[1] += Micro.best(of: 1) {
                    full.ingest(batch, table, now: .seconds(Int(round)))
                }
                costs.steps[2] += Micro.best(of: 1) {
                    merged = reaggregator.apply(batch, now: began + round * 1_000_000_000) { series in
                        let resource = series.resource["service.name"].map {
                            AttributeSet([Attribute("service.name", $0)])
                        }
                        return .output(resource: resource ?? .empty, attributes: series.attributes)
                    }
                }
                costs.steps[3] += Micro.best(of: 1) {
                    if let merged { reduced.ingest(merged, table, now: .seconds(Int(round))) }
                }
            }
            precondition(points == series)
            // In the first round everything is new.
            if round > rounds.lowerBound { best.steps = zip(best.steps, costs.steps).map(min) }
        }
        for (step, seconds) in zip(Costs.names, best.all) {
            Micro.report("\(name) points, \(step)", seconds, per: series)
        }
        return best
    }
}
