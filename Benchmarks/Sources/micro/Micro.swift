import Glibc
import LoadShape
import PhoenixModel

/// Times the pieces of the hot path one by one, on one thread where they allow it.
@main
enum Micro {
    static func main() async throws {
        let all: [(name: String, run: () async throws -> Void)] = [
            ("decode", Decoding.run), ("plans", Plans.run), ("aggregate", Aggregation.run),
            ("edge", Edges.run), ("mix", Mixes.run),
            ("exposition", Expositions.run),
        ]
        let wanted = Set(CommandLine.arguments.dropFirst())
        for benchmark in all where wanted.isEmpty || wanted.contains(benchmark.name) {
            try await benchmark.run()
        }
    }

    /// The seconds that this process has computed.
    static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    /// The least CPU time of several runs, in seconds: what disturbed the others is not of interest.
    static func best(of runs: Int, _ body: () throws -> Void) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<runs {
            let start = cpuSeconds
            try body()
            best = min(best, cpuSeconds - start)
        }
        return best
    }
    static func report(_ name: String, _ seconds: Double, per count: Int, _ more: String = "") {
        let nanoseconds = (seconds / Double(count) * 1e10).rounded() / 10
        let padded = name + String(repeating: " ", count: max(1, 44 - name.count))
        print("\(padded)\(nanoseconds) ns\(more.isEmpty ? "" : ", " + more)")
    }

    /// A load of so many series, its decoder fed once.
    static func load(series: Int, points: Int) -> ProcessLoad {
        ProcessLoad(
            bodies: series / points,
            groups: series / points,
            pointsPerBody: points,
            startUnixNano: 1_700_000_000_000_000_000
        )
    }
    static func advance(_ load: inout ProcessLoad, _ round: Int) {
        for index in load.bodies.indices {
            load.advance(
                index,
                to: 1_700_000_001_000_000_000 + UInt64(round) * 1_000_000_000,
                round: UInt64(round)
            )
        }
    }
}
