import Foundation
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// How long a path stands still while a node hands over: from the last batch that the old one sent to the first of the heir.
///
/// `PHOENIX_SERIES=300000` measures, and holds it to 200 ms; without it the roads are walked and the times only told, for
/// another load on the machine would be measured with them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HandOverPauseTests {
    private static let asked = Int(ProcessInfo.processInfo.environment["PHOENIX_SERIES"] ?? "")
    private static let series = asked ?? 12_000
    private static let limit: Duration? = asked == nil ? nil : .milliseconds(200)
    private static let metrics = ["process.cpu.time", "process.disk.io", "process.network.io"]

    /// All series once, in batches of 6,000.
    private static func batches(_ table: SeriesTable, at now: UInt64, value: Int64) throws -> [MetricBatch] {
        let lane = table.lane("test")
        return try stride(from: 0, to: series, by: 6_000).map { first in
            var parts = MetricBatch.Parts()
            for index in first..<min(first + 6_000, series) {
                let process = index / metrics.count
                let identity = MetricIdentity(
                    name: metrics[index % metrics.count],
                    kind: .sum,
                    temporality: .cumulative,
                    isMonotonic: true
                )
                let id = table.id(
                    resource: table.intern([
                        Attribute("host.name", "host-\(process % 100)"),
                        Attribute("process.pid", .int(Int64(process))),
                    ]),
                    metric: table.metric(identity),
                    attributes: table.intern([]),
                    lane: lane
                )
                parts.numbers.append(
                    try #require(id),
                    time: now,
                    start: now - 1_000_000_000,
                    bits: UInt64(bitPattern: value),
                    flags: .isInteger
                )
            }
            return MetricBatch(parts)
        }
    }

    private func pause<Kind: Node>(
        _ type: Kind.Type,
        _ what: String,
        from old: Kind.Config,
        to new: Kind.Config
    ) async throws {
        let time = SystemTime()
        let harness = NodeHarness(time)
        harness.link(RelabelingPort.input)
        let output = harness.read(RelabelingPort.output)
        let table = harness.context.series
        let (ended, came) = (Lock(Duration.zero), Lock(Duration.zero))
        func wait(for count: Int) async throws {
            while output.messages.count < count { try await Task.sleep(for: .microseconds(50)) }
        }
        try await harness.relay(type, [Settings(old), Settings(new)]) { leg in
            let now = time.unixNanoseconds
            let all = try Self.batches(table, at: now, value: Int64(leg))
            if leg == 0 {
                for batch in all { try await harness.feed(RelabelingPort.input, batch) }
                try await wait(for: all.count)
                ended.withLock { $0 = time.monotonic }
            } else {
                let before = output.messages.count
                let fed = time.monotonic
                try await harness.feed(RelabelingPort.input, all[0])
                try await wait(for: before + 1)
                // What it took to make the test's batches is not the node's.
                let made = fed - ended.withLock { $0 }
                came.withLock { $0 = time.monotonic - ended.withLock { $0 } - made }
            }
        }
        let pause = came.withLock { $0 }
        print(
            "\(type) of \(Self.series) series, \(what): first batch \(pause.inSeconds * 1e3) ms after it was sent"
        )
        if let limit = Self.limit { #expect(pause < limit) }
    }
    /// What `handOver` and `inherit` take, which is when nobody reads.
    private func exchange<Kind: Node>(
        _ type: Kind.Type,
        _ what: String,
        _ port: InputPort<MetricBatch>,
        from old: Kind.Config,
        to new: Kind.Config
    ) async throws {
        let time = SystemTime()
        let harness = NodeHarness(time)
        harness.link(port)
        let table = harness.context.series
        let node = try harness.make(type, old)
        let all = try Self.batches(table, at: time.unixNanoseconds, value: 1)
        try await harness.run(node) { for batch in all { try await harness.feed(port, batch) } }
        let heir = try harness.make(type, new)
        let began = time.monotonic
        if let state = await node.handOver() { await heir.inherit(state) }
        let took = time.monotonic - began
        print("\(type) of \(Self.series) series, \(what): handed over in \(took.inSeconds * 1e3) ms")
        if let limit = Self.limit { #expect(took < limit) }
    }

    @Test func aggregate() async throws {
        var (old, new) = (Aggregate.Config(), Aggregate.Config())
        old.drop = ["process.command_line"]
        try await exchange(Aggregate.self, "the same settings", RelabelingPort.input, from: old, to: old)
        try await pause(Aggregate.self, "the same settings", from: old, to: old)
        new.drop = ["process.pid"]
        try await exchange(Aggregate.self, "another `drop`", RelabelingPort.input, from: old, to: new)
        try await pause(Aggregate.self, "another `drop`", from: old, to: new)
    }
    @Test func topK() async throws {
        var (old, new) = (TopK.Config(), TopK.Config())
        (old.k, new.k) = (50, 20)
        try await exchange(TopK.self, "the same settings", RelabelingPort.input, from: old, to: old)
        try await pause(TopK.self, "the same settings", from: old, to: old)
        try await exchange(TopK.self, "another `k`", RelabelingPort.input, from: old, to: new)
        try await pause(TopK.self, "another `k`", from: old, to: new)
    }
    @Test func endpoint() async throws {
        var (old, new) = (Prometheus.Config(), Prometheus.Config())
        old.convertsResource = true
        new = old
        new.metricExpiration = .seconds(60)
        try await exchange(Prometheus.self, "another expiry", Prometheus.Port.input, from: old, to: new)
        new.namespace = "renamed"
        try await exchange(Prometheus.self, "another namespace", Prometheus.Port.input, from: old, to: new)
    }
}
