import Glibc
import LoadShape
import PhoenixModel
import PhoenixWire

/// Times the pieces of the hot path one by one, on one thread.
@main
enum Micro {
    static func main() throws {
        for series in CommandLine.arguments.dropFirst().first.map({ [Int($0)!] }) ?? [30_000, 300_000] {
            try decode(series: series)
        }
    }

    static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func decode(series: Int) throws {
        let bodies = series / 1500
        var load = ProcessLoad(
            bodies: bodies,
            processesPerBody: 250,
            startUnixNano: 1_700_000_000_000_000_000
        )
        let table = SeriesTable()
        let decoder = OTLPDecoder(table: table, lane: "bench")
        var points = 0
        var best = Double.infinity
        for round in 0..<(6_000_000 / series) {
            for index in 0..<bodies {
                load.advance(
                    index,
                    to: 1_700_000_001_000_000_000 + UInt64(round) * 1_000_000_000,
                    round: UInt64(round)
                )
            }
            let start = cpuSeconds()
            points = 0
            for index in 0..<bodies {
                let refusals = try load.bodies[index].bytes.withUnsafeBytes { try decoder.decode($0) }
                precondition(refusals.total == 0)
                points += decoder.takeBatch(epoch: 0)?.count ?? 0
            }
            if round > 0 { best = min(best, (cpuSeconds() - start) / Double(points)) }
        }
        var (hash, yardstick): (UInt64, Double) = (0, .infinity)
        for _ in 0..<20 {
            let start = cpuSeconds()
            for body in load.bodies { hash ^= body.bytes.withUnsafeBytes { foldHash($0, seed: hash) } }
            yardstick = min(yardstick, (cpuSeconds() - start) / Double(points))
        }
        precondition(hash != 1)
        let rate = Double(load.bodies.reduce(0) { $0 + $1.bytes.count }) / Double(points) / yardstick / 1e9
        print("yardstick \(yardstick * 1e9) ns a point, \(rate) GB/s, decode is \(best / yardstick) times it")
        print(
            "decode, \(series) series: \(best * 1e9) ns a point, \(points) points, \(load.bodies[0].bytes.count) bytes a body, census \(table.census)"
        )
    }
}
