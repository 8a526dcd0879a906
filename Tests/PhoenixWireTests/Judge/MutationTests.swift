import Foundation
import Testing

/// The decoder against the judge, on requests nobody would write.
///
/// `PHOENIX_MUTATIONS` sets how many, a million in `make soak`; `PHOENIX_SEED` repeats a failed run.
@Suite struct MutationTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }
    #if DEBUG
    private static let defaultRounds: UInt64 = 20_000
    #else
    private static let defaultRounds: UInt64 = 100_000
    #endif
    private static let rounds = Int(number("PHOENIX_MUTATIONS") ?? defaultRounds)
    private static let seed = number("PHOENIX_SEED") ?? .random(in: 0...UInt64(UInt32.max))

    /// What the process holds in memory, in bytes.
    private static var residentBytes: Int {
        let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    @Test func protobufIsDecodedAsTheJudgeSays() async {
        let (seed, half) = (Self.seed, Self.rounds / 2)
        print("mutations: PHOENIX_SEED=\(seed) PHOENIX_MUTATIONS=\(half * 2)")
        @concurrent func run(_ seed: UInt64) async -> MutationRun {
            var run = MutationRun(seed: seed)
            run.run(rounds: half)
            return run
        }
        async let first = run(seed)
        async let second = run(seed ^ 0xFFFF_FFFF)
        for run in await [first, second] {
            #expect(run.failures.isEmpty, "\(run.failures.joined(separator: "\n"))")
            // The corpus is worth its time only while all verdicts occur.
            #expect(run.malformed * 5 > run.rounds && run.malformed * 5 < run.rounds * 4)
            #expect(run.points > run.rounds && run.refused * 5 > run.rounds)
            #expect(run.recognised * 100 > run.rounds)
        }
    }
    /// In a process of its own: beside other tests nobody could tell whose the memory is.
    @Test func memoryDoesNotGrowWithWhatIsMalformed() async {
        await #expect(processExitsWith: .success) {
            var run = MutationRun(seed: 1)
            run.run(rounds: 5_000)
            let before = MutationTests.residentBytes
            #expect(before > 0)
            run.run(rounds: 50_000)
            #expect(run.failures.isEmpty)
            #expect(MutationTests.residentBytes - before < 32 << 20)
        }
    }
    @Test func jsonIsDecodedAsProtobufIs() async {
        print("JSON: PHOENIX_SEED=\(Self.seed)")
        var run = JSONRun(seed: Self.seed)
        run.run(rounds: Self.rounds / 10)
        #expect(run.failures.isEmpty, "\(run.failures.joined(separator: "\n"))")
        #expect(
            run.notJSON * 5 > run.rounds && run.malformed * 10 < run.rounds * 9 && run.points * 4 > run.rounds
        )
    }
}
