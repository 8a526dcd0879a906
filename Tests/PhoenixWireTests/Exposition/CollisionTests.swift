import PhoenixModel
import Testing

@testable import PhoenixWire

/// What several series under one exposed label set show, kind by kind.
@Suite struct CollisionTests {
    /// The same metric of several hosts; the host is no label.
    private static func hosts(
        _ fixture: ExpositionFixture,
        _ name: String,
        kind: PointKind = .gauge,
        monotonic: Bool? = nil,
        count: Int = 2
    ) -> [SeriesID] {
        (0..<count).map { host in
            fixture.series(
                name,
                kind: kind,
                monotonic: monotonic,
                resource: [Attribute("service.name", "s"), Attribute("host.name", .int(Int64(host)))]
            )
        }
    }
    private static let labels = ["job": "s"]

    @Test func summariesAddTheirIncrements() throws {
        let fixture = ExpositionFixture(watchingSince: 1)
        let hosts = Self.hosts(fixture, "rpc.latency", kind: .summary)
        func shown(_ host: Int, _ count: UInt64, at time: UInt64) throws -> [Double?] {
            let sum = Double(count) / 2
            fixture.put(summary: hosts[host], count: count, sum: sum, [(0.5, 7)], at: time, start: 5)
            let read = try fixture.read(.text)
            let median = read.value("rpc_latency", Self.labels.merging(["quantile": "0.5"]) { $1 })
            return [
                read.value("rpc_latency_count", Self.labels), read.value("rpc_latency_sum", Self.labels),
                median,
            ]
        }
        #expect(try shown(0, 100, at: 10) == [100, 50, 7])
        #expect(try shown(1, 10, at: 20) == [110, 55, nil])
        #expect(try shown(0, 200, at: 30) == [210, 105, nil])
        #expect(try shown(1, 20, at: 40) == [220, 110, nil])
        #expect(try shown(1, 4, at: 50) == [224, 112, nil], "a restart")
        fixture.end(hosts[0], at: 60)
        #expect(try shown(1, 5, at: 70) == [225, 112.5, 7], "alone again")
        #expect(try shown(1, 3, at: 65) == [225, 112.5, 7], "older")
        #expect(fixture.store.counts[.outOfOrder] == 1)
    }
    @Test func sumsThatMayFallShowWhatLives() throws {
        var fixture = ExpositionFixture()
        let hosts = Self.hosts(fixture, "queue.length", kind: .sum, monotonic: false, count: 3)
        func shown() throws -> Double? { try fixture.read().value("queue_length", Self.labels) }
        for time in 1...2 as ClosedRange<UInt64> {
            fixture.put(hosts[0], 10, at: time)
            #expect(try shown() == (time == 1 ? 10 : 11))
            fixture.put(hosts[1], 1, at: time)
            #expect(try shown() == 11)
        }
        fixture.end(hosts[0], at: 1)
        #expect(try shown() == 11, "an end that is older than what was said")
        fixture.put(hosts[2], 5, at: 3)
        fixture.end(hosts[0], at: 3)
        #expect(try shown() == 6)
        fixture.now = .seconds(200)
        fixture.put(hosts[1], 2, at: 4)
        fixture.now = .seconds(400)
        fixture.store.expire(now: fixture.now)
        #expect(try shown() == 2, "who is silent for long is taken off")
        fixture.end(hosts[1], at: 5)
        #expect(try shown() == nil)
        #expect(fixture.store.activeSeries == 0)
    }
    /// The last to come has ended, and the last that lives expires: there is no level of nobody.
    @Test func aLevelEndsWithItsLastInput() throws {
        var fixture = ExpositionFixture()
        let hosts = Self.hosts(fixture, "queue.length", kind: .sum, monotonic: false)
        fixture.put(hosts[0], 10, at: 1)
        fixture.now = .seconds(250)
        fixture.put(hosts[1], 1, at: 1)
        fixture.end(hosts[1], at: 2)
        fixture.now = .seconds(301)
        fixture.store.expire(now: fixture.now)
        #expect(fixture.store.activeSeries == 0)
        #expect(try fixture.read().value("queue_length", Self.labels) == nil)
    }
    @Test func gaugesFollowTheConventions() throws {
        let fixture = ExpositionFixture()
        for (name, expected) in [
            ("process.memory.usage", 303), ("system.cpu.utilization", 101), ("temperature", 102),
        ] as [(String, Double)] {
            let hosts = Self.hosts(fixture, name, count: 3)
            for (index, host) in hosts.enumerated() { fixture.put(host, 100 + index, at: 5 + UInt64(index)) }
            let shown = name.split(separator: ".").joined(separator: "_")
            #expect(try fixture.read().value(shown, Self.labels) == expected)
        }
    }
    @Test func whenTheNewestEndsTheOneBeforeIsShown() throws {
        let fixture = ExpositionFixture()
        let hosts = Self.hosts(fixture, "temperature", count: 4)
        for (index, host) in hosts.enumerated() { fixture.put(host, index, at: 10 + UInt64(index)) }
        for (index, host) in hosts.enumerated().reversed() {
            #expect(try fixture.read().value("temperature", Self.labels) == Double(index))
            fixture.end(host, at: 20)
        }
        #expect(fixture.store.activeSeries == 0)
    }
    @Test func whatIsNoNumberLeavesNoTrace() throws {
        let fixture = ExpositionFixture()
        let hosts = Self.hosts(fixture, "queue.length", kind: .sum, monotonic: false, count: 3)
        func shown(_ value: Double, at time: UInt64) throws -> Double {
            fixture.put(hosts[0], value, at: time)
            return try #require(try fixture.read().value("queue_length", Self.labels))
        }
        fixture.put(hosts[1], 0.5)
        fixture.put(hosts[2], 2)
        #expect(try shown(1, at: 1) == 3.5)
        #expect(try shown(.infinity, at: 2) == .infinity)
        #expect(try shown(-.infinity, at: 3) == -.infinity)
        #expect(try shown(.nan, at: 4).isNaN)
        #expect(try shown(0.25, at: 5) == 2.75)
        // More than a double can hold, and back.
        fixture.put(hosts[1], Double.greatestFiniteMagnitude, at: 2)
        #expect(try shown(.greatestFiniteMagnitude, at: 6) == .infinity)
        fixture.put(hosts[1], 0.5, at: 3)
        #expect(try shown(0.25, at: 7) == 2.75)
    }
    @Test func integersStayExact() {
        var sum = LevelSum()
        sum.add(Number(Int64.max))
        sum.add(Number(Int64(1)))
        #expect(sum.number == Number(0x1p63))
        sum.add(Number(0.1))
        sum.add(Number(1e18))
        sum.subtract(Number(1e18))
        sum.subtract(Number(0.1))
        sum.subtract(Number(Int64(2)))
        #expect(sum.number == Number(Int64.max - 1))
    }
    @Test func histogramsMeetAtTheBoundsOfBoth() throws {
        let fixture = ExpositionFixture(watchingSince: 1)
        let hosts = Self.hosts(fixture, "latency", kind: .histogram, count: 4)
        func shown() throws -> [String: Double] {
            var shown: [String: Double] = [:]
            for sample in try fixture.read(.text)["latency"]?.samples ?? [] {
                shown[sample.labels["le"] ?? sample.name] = sample.value
            }
            return shown
        }
        fixture.put(histogram: hosts[0], [1, 2, 3], bounds: [1, 2], sum: 9, at: 10, start: 5)
        fixture.put(histogram: hosts[1], [1, 1, 1, 1], bounds: [0.5, 1, 2], sum: 4, at: 10, start: 5)
        #expect(try shown() == ["1": 3, "2": 6, "+Inf": 10, "latency_sum": 13, "latency_count": 10])
        fixture.put(histogram: hosts[2], [1, 0, 1], bounds: [1, 3], sum: 4, at: 10, start: 5)
        fixture.put(histogram: hosts[0], [2, 3, 3], bounds: [1, 2], sum: 12, at: 20, start: 5)
        #expect(try shown() == ["1": 5, "+Inf": 14, "latency_sum": 20, "latency_count": 14])
        fixture.put(histogram: hosts[3], [5], bounds: [], sum: 5, at: 20, start: 15)
        #expect(try shown() == ["+Inf": 19, "latency_sum": 25, "latency_count": 19])
        #expect(fixture.store.counts.dropped == 0)
    }
    @Test func boundsThatChangeAreNoReset() throws {
        let fixture = ExpositionFixture(watchingSince: 1)
        let hosts = Self.hosts(fixture, "latency", kind: .histogram)
        func shown(_ name: String) throws -> Double? {
            try fixture.read(.text)["latency"]?.samples.first { $0.name == name }?.value
        }
        func count() throws -> Double? { try shown("latency_count") }
        fixture.put(histogram: hosts[0], [4, 4, 2], bounds: [1, 2], sum: 9, at: 10, start: 5)
        fixture.put(histogram: hosts[1], [5, 5, 0], bounds: [1, 2], sum: 4, at: 10, start: 5)
        #expect(try count() == 20)
        fixture.put(histogram: hosts[1], [5, 3, 4, 0], bounds: [1, 1.5, 2], sum: 5, at: 20, start: 5)
        #expect(try count() == 22)
        fixture.put(histogram: hosts[1], [5, 8, 1], bounds: [1, 2], sum: 6, at: 30, start: 5)
        #expect(try count() == 24)
        fixture.put(histogram: hosts[1], [10, 5], bounds: [3], sum: 7, at: 40, start: 5)
        #expect(try count() == 25)
        #expect(try shown("latency_sum") == 16)
        // A count that fell is one, whatever the bounds.
        fixture.put(histogram: hosts[1], [1, 1, 1], bounds: [1, 2], sum: 1, at: 50, start: 5)
        #expect(try count() == 28)
    }
    @Test func anExponentialHistogramIsNotPutIntoAnother() throws {
        let fixture = ExpositionFixture(watchingSince: 1)
        let (plain, exponential) = (
            fixture.series("h", kind: .histogram), fixture.series("h", kind: .exponentialHistogram)
        )
        fixture.put(histogram: plain, [1, 1], bounds: [1], at: 10, start: 5)
        fixture.put(exponential: exponential, scale: 0, positive: (0, [3]), at: 10, start: 5)
        #expect(try fixture.read(.text).value("h_count") == 2)
        #expect(fixture.store.counts[.layoutMismatch] == 1)
    }
    @Test func anHeirShowsTheSameLevels() throws {
        let fixture = ExpositionFixture(watchingSince: 1)
        let memory = Self.hosts(fixture, "process.memory.usage", kind: .sum, monotonic: false, count: 3)
        let heat = Self.hosts(fixture, "temperature", count: 3)
        let waits = Self.hosts(fixture, "wait", kind: .summary)
        for (index, series) in (memory + heat).enumerated() {
            fixture.put(series, index, at: 10 + UInt64(index))
        }
        for wait in waits { fixture.put(summary: wait, count: 3, sum: 1, [(0.5, 1)], at: 10, start: 5) }
        fixture.end(heat[2], at: 30)
        var options = fixture.store.options
        options.namespace = "new"
        let heir = ExpositionStore(options, watchingSince: 1)
        heir.succeed(fixture.store)
        while !heir.takeOver(fixture.table, limit: 1) {}
        let read = try ExpositionReader(heir.scrape(.text, now: fixture.now).all(), false)
        #expect(read.value("new_process_memory_usage", Self.labels) == 3)
        #expect(read.value("new_temperature", Self.labels) == 4)
        // What adds up begins anew, here with the growth of both since they began.
        #expect(read.value("new_wait_count", Self.labels) == 6)
        #expect(read.value("new_wait", Self.labels.merging(["quantile": "0.5"]) { $1 }) == nil)
    }
}
