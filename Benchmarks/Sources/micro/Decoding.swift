import LoadShape
import PhoenixModel
import PhoenixWire

/// Requests to batches, and the yardstick over the same bytes.
enum Decoding {
    static func run() throws {
        for series in [30_000, 300_000] {
            for points in [1500, 15] { try decode(series: series, points: points) }
        }
    }
    private static func decode(series: Int, points: Int) throws {
        var load = Micro.load(series: series, points: points)
        let decoder = OTLPDecoder(table: SeriesTable(), lane: "bench")
        func pass() throws {
            for body in load.bodies {
                let refusals = try body.bytes.withUnsafeBytes { try decoder.decode($0) }
                precondition(refusals.total == 0)
                // As the receiver does: small requests come together in one batch.
                if decoder.pendingPoints >= 1500 { _ = decoder.takeBatch(epoch: 0) }
            }
            _ = decoder.takeBatch(epoch: 0)
        }
        try pass()
        var best = Double.infinity
        for round in 1...max(6, 3_000_000 / series) {
            Micro.advance(&load, round)
            best = min(best, try Micro.best(of: 1, pass))
        }
        var hash: UInt64 = 0
        let yardstick = Micro.best(of: 20) {
            for body in load.bodies { hash ^= body.bytes.withUnsafeBytes { foldHash($0, seed: hash) } }
        }
        precondition(hash != 1)
        let bytes = load.bodies.reduce(0) { $0 + $1.bytes.count }
        let rate = (Double(bytes) / yardstick / 1e8).rounded() / 10
        let ratio = (best / yardstick * 10).rounded() / 10
        Micro.report(
            "decode, \(series) series, \(points) points",
            best,
            per: load.points,
            "\(ratio) x the yardstick (\(rate) GB/s), \(bytes / load.points) bytes a point"
        )
    }
}
