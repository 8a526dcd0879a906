import Foundation
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct RolloutTests {
    private static func subject(_ host: String, _ pid: Int64) -> Subject {
        Subject(
            resource: [Attribute("host.name", host), Attribute("process.pid", .int(pid))],
            point: [Attribute("direction", "read")],
            metric: MetricIdentity(name: "m", kind: .gauge)
        )
    }
    private static func program(_ change: (inout Rollout.Config) -> Void = { _ in }) -> RolloutProgram {
        var config = Rollout.Config()
        change(&config)
        return RolloutProgram(config)
    }
    private static func isShared(_ program: RolloutProgram, _ subject: Subject) -> Bool {
        var subject = subject
        _ = program.judge(&subject)
        return subject.value(of: SharePath.mark) != nil
    }

    /// Who is in the share may not change with a version: who was tried on yesterday is tried on today.
    @Test func theHashIsWhatItAlwaysWas() {
        // FNV-1a 64 of nothing, and of "a", by its authors' test suite; then fmix64.
        var hash = StableHash()
        #expect(hash.value == 0xefd0_1f60_ba99_2926)
        hash.add("a")
        #expect(hash.value == Self.reference([0x61, 0xff]))
        var subject = Self.subject("host-1", 7)
        #expect(Self.program().place(of: &subject) == Self.pinned)
    }
    /// The same hash, written down once more.
    private static func reference(_ bytes: [UInt8]) -> UInt64 {
        var state: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes {
            state ^= UInt64(byte)
            state = state.multipliedReportingOverflow(by: 1_099_511_628_211).partialValue
        }
        state ^= state >> 33
        state = state.multipliedReportingOverflow(by: 0xff51_afd7_ed55_8ccd).partialValue
        state ^= state >> 33
        state = state.multipliedReportingOverflow(by: 0xc4ce_b9fe_1a85_ec53).partialValue
        return state ^ (state >> 33)
    }
    private static let pinned = 0.8732232893218861

    @Test func aGreaterShareHoldsAllOfASmallerOne() {
        let shares = [0, 0.01, 0.1, 0.25, 0.5, 0.9, 1]
        var counts = Array(repeating: 0, count: shares.count)
        for pid in 0..<10_000 {
            let places = shares.map { share in
                Self.isShared(Self.program { $0.share = share }, Self.subject("h\(pid % 7)", Int64(pid)))
            }
            #expect(places.firstIndex(of: true).map { places[$0...].allSatisfy { $0 } } ?? true)
            for index in shares.indices where places[index] { counts[index] += 1 }
        }
        for (share, count) in zip(shares, counts) {
            // Four standard deviations.
            let deviation = (10_000 * share * (1 - share)).squareRoot()
            #expect(abs(Double(count) - 10_000 * share) <= 4 * deviation, "\(count) of 10000 for \(share)")
        }
    }
    @Test func whatSeriesHaveInCommonDecides() {
        let byHost = Self.program { ($0.share, $0.by) = (0.5, ["host.name"]) }
        for host in 0..<50 {
            let places = (0..<20).map { Self.isShared(byHost, Self.subject("h\(host)", $0)) }
            #expect(Set(places).count == 1)
        }
        let salted = Self.program { ($0.share, $0.by, $0.salt) = (0.5, ["host.name"], "b") }
        let differ = (0..<200).filter {
            Self.isShared(byHost, Self.subject("h\($0)", 1))
                != Self.isShared(salted, Self.subject("h\($0)", 1))
        }
        #expect((60...140).contains(differ.count))
    }

    @Test func flagFilesAreReadAsPeopleWriteThem() {
        #expect(FlagFile.share(in: "0.25\n") == 0.25)
        #expect(FlagFile.share(in: "# half\n 50 % # of all\n") == 0.5)
        #expect(FlagFile.share(in: "On") == 1)
        #expect(FlagFile.share(in: "off\n") == 0)
        for wrong in ["", "# nothing", "1.5", "-1", "150%", "nan", "yes please", "0.1\n0.2"] {
            #expect(FlagFile.share(in: wrong) == nil, "\(wrong)")
        }
    }
    @Test func aFlagFileCountsBeforeTheGraphWhileItIsThere() throws {
        let path = NSTemporaryDirectory() + "phoenix-flag-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var flag = FlagFile(path)
        #expect(flag.look() == .unchanged)
        try "25%".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(flag.look() == .unchanged, "it may not be whole")
        #expect(flag.look() == .share(0.25))
        #expect(flag.look() == .unchanged)
        try "a quarter".write(toFile: path, atomically: true, encoding: .utf8)
        _ = flag.look()
        guard case .broken = flag.look() else {
            Issue.record("it says no share")
            return
        }
        #expect(flag.share == 0.25)
        try FileManager.default.removeItem(atPath: path)
        #expect(flag.look() == .gone)
        #expect(flag.share == nil)
    }
    @Test func aPipeIsNoFlagFile() {
        let path = NSTemporaryDirectory() + "phoenix-flag-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(mkfifo(path, 0o600) == 0)
        var flag = FlagFile(path)
        #expect(
            flag.look()
                == .broken("\(path): it is a pipe, where a regular file is meant: put one in its place")
        )
        #expect(flag.share == nil)
    }
    /// It is read before the first point goes one way or the other.
    @Test(arguments: 1...UInt64(8)) func theFlagFileSaysTheShareFromTheFirstPointOn(seed: UInt64) throws {
        let path = NSTemporaryDirectory() + "phoenix-flag-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "on".write(toFile: path, atomically: true, encoding: .utf8)
        try World.run(seed: seed) { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let (rest, share) = (harness.read(RelabelingPort.output), harness.read(Rollout.Port.share))
            let names = SyntheticNames(harness.context.series, lane: "synthetic")
            var load = SyntheticLoad(SyntheticLoad.Settings(), seed: seed, at: world.clock.unixNanoseconds)
            var config = Rollout.Config()
            config.flagFile = path
            let node = try harness.make(Rollout.self, config)
            let parts = load.report(at: world.clock.unixNanoseconds, into: names)
            try await harness.run(node) {
                for part in parts { try await harness.feed(RelabelingPort.input, MetricBatch(part)) }
                try await world.clock.sleep(for: .seconds(3))
            }
            try require(rest.messages.allSatisfy(\.isEmpty), "some went the other way")
            try require(!share.messages.isEmpty, "nothing went by `share`")
        }
    }

    /// Random processes, restarted now and then, while share and mode change: both ways together come to what came in.
    @Test(arguments: 1...UInt64(12)) func bothWaysTogetherComeToWhatCameIn(seed: UInt64) throws {
        try World.run(seed: seed) { world in
            var random = world.random
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            harness.link(RelabelingPort.mode)
            let outputs = [harness.read(RelabelingPort.output), harness.read(Rollout.Port.share)]
            let table = harness.context.series
            let names = SyntheticNames(table, lane: "synthetic")
            var load = SyntheticLoad.Settings()
            (load.hosts, load.profile.base) = (2, 12)
            load.restarts = Bool.random(using: &random) ? 0.05 : 0
            let source = Lock(SyntheticLoad(load, seed: seed, at: world.clock.unixNanoseconds))
            let shown = Lock(IncreaseLedger())
            let line = (0..<4).map { _ in
                var (base, lean) = (Rollout.Config(), Rollout.Config())
                (base.share, lean.share) = (
                    .random(in: 0...1, using: &random), .random(in: 0...1, using: &random)
                )
                if Bool.random(using: &random) { base.by = ["host.name", "process.pid"] }
                if Bool.random(using: &random) { base.mark = "path" }
                return Settings(base, modes: [.aggressive: lean])
            }
            let rounds = line.map { _ in Int.random(in: 1...6, using: &random) }
            try await harness.relay(Rollout.self, line) { leg in
                for round in 0..<rounds[leg] {
                    var ledger = IncreaseLedger()
                    let now = world.clock.unixNanoseconds
                    for parts in source.withLock({ $0.report(at: now, into: names) }) {
                        let batch = MetricBatch(parts)
                        ledger.book(batch, table)
                        try await harness.feed(RelabelingPort.input, batch)
                    }
                    shown.withLock { [ledger] in $0 = ledger }
                    try await world.clock.sleep(for: .seconds(7))
                    let mode = Mode.allCases[(leg + round) % Mode.allCases.count]
                    try await harness.feed(RelabelingPort.mode, ModeChange(mode, because: "test"))
                    try await world.clock.sleep(for: .seconds(8))
                }
            }
            let ledgers = outputs.map { output in
                var ledger = IncreaseLedger()
                for batch in output.messages { ledger.book(batch, table) }
                return ledger
            }
            func total(_ metric: String) -> Double { ledgers.reduce(0) { $0 + ($1.totals[metric] ?? 0) } }
            let totals = source.withLock { $0.totals }
            try require(
                total("process.cpu.time") == Double(totals.cpuTime) / 64,
                "\(total("process.cpu.time")) for \(totals)"
            )
            let disk = Double(totals.bytesRead + totals.bytesWritten)
            try require(total("process.disk.io") == disk, "\(total("process.disk.io")) for \(totals)")
            try require(ledgers.allSatisfy { $0.resets == 0 }, "an output fell or began anew")
            guard load.restarts == 0 else { return }
            for metric in ["process.memory.usage", "process.threads"] {
                let due = shown.withLock { $0.shown(metric) }
                let found = ledgers.reduce(0) { $0 + $1.shown(metric) }
                try require(found == due, "\(metric): \(found) for \(due)")
            }
        }
    }
}
