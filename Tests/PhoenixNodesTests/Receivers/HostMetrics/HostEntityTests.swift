import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// What becomes of readings over time, without files and tasks.
@Suite struct HostEntityTests {
    private static let second: UInt64 = 1_000_000_000
    private static func time(_ seconds: UInt64) -> UInt64 { PointText.origin + seconds * second }
    private let table = SeriesTable()

    /// Appends readings at a second; what comes of it as text.
    private func report(
        _ entity: inout HostEntity,
        _ seconds: UInt64,
        _ readings: [HostReading],
        of scraper: HostScraper = .network
    ) -> String {
        var destination = HostEntity.Destination(table, lane: "test")
        entity.append(readings, of: scraper, at: Self.time(seconds), to: &destination)
        return PointText.text(MetricBatch(destination.parts), table)
    }
    private func io(_ name: String, _ value: UInt64) -> HostReading {
        HostReading(.networkIO, value, [Attribute("network.interface.name", name)])
    }
    private func text(_ name: String, start: String, _ time: String, _ value: String) -> String {
        "system.network.io{; network.interface.name=\(name)} sum cumulative monotonic unit=By scope=phoenix.hostmetrics\(start.isEmpty ? "" : " start=" + start) time=\(time) \(value)"
    }

    @Test func aDeviceThatComesLaterBeganWithinTheInterval() {
        var host = HostEntity([], start: Self.time(0), .sinceLastReport)
        #expect(report(&host, 100, [io("eth0", 7)]) == text("eth0", start: "0s", "100s", "7"))
        let second = report(&host, 115, [io("eth0", 8), io("veth1", 5)])
        #expect(second.contains(text("eth0", start: "0s", "115s", "8")))
        #expect(second.contains(text("veth1", start: "100s", "115s", "5")))
    }

    @Test func whatIsToldNoMoreHasEnded() {
        var host = HostEntity([], start: Self.time(0), .sinceLastReport)
        _ = report(&host, 100, [io("eth0", 7), io("veth1", 5)])
        let second = report(&host, 115, [io("eth0", 8)])
        #expect(second.contains(text("veth1", start: "", "115s", "none")))
        #expect(
            report(&host, 130, [io("eth0", 9)]) == text("eth0", start: "0s", "130s", "9"),
            "once is enough"
        )
    }

    @Test func anotherScrapersSeriesStay() {
        var host = HostEntity([], start: Self.time(0), .sinceLastReport)
        _ = report(&host, 100, [io("eth0", 7)])
        let other = report(&host, 101, [HostReading(.memoryLimit, UInt64(5))], of: .memory)
        #expect(!other.contains("none"))
    }

    @Test func aCounterThatFallsStartsWhereItWasLastSeen() {
        var host = HostEntity([], start: Self.time(0), .sinceLastReport)
        _ = report(&host, 100, [io("eth0", 700)])
        #expect(report(&host, 115, [io("eth0", 3)]) == text("eth0", start: "100s", "115s", "3"))
        #expect(report(&host, 130, [io("eth0", 4)]) == text("eth0", start: "100s", "130s", "4"))
    }

    @Test func theKernelsSmallCorrectionsOfCPUTimeAreOverlooked() {
        var host = HostEntity([], start: Self.time(0), .sinceLastReport)
        func values(_ seconds: UInt64, _ value: Double) -> String {
            report(&host, seconds, [HostReading(.cpuTime, value)], of: .cpu)
        }
        #expect(values(100, 50).hasSuffix("start=0s time=100s 50.0"))
        #expect(values(115, 48.5).hasSuffix("start=0s time=115s 50.0"))
        #expect(values(130, 51).hasSuffix("start=0s time=130s 51.0"))
        #expect(
            values(145, 40).hasSuffix("start=130s time=145s 40.0"),
            "so much is a processor that was taken out"
        )
    }

    @Test func gaugesHaveNoStartAndUpDownCountersGoBothWays() {
        var host = HostEntity([], start: Self.time(0), .sinceLastReport)
        let gauge = report(&host, 100, [HostReading(.uptime, 5.5)], of: .system)
        #expect(gauge == "system.uptime{} gauge unit=s scope=phoenix.hostmetrics time=100s 5.5")
        _ = report(&host, 100, [HostReading(.memoryLimit, UInt64(9))], of: .memory)
        let fall = report(&host, 115, [HostReading(.memoryLimit, UInt64(4))], of: .memory)
        #expect(
            fall
                == "system.memory.limit{} sum cumulative unit=By scope=phoenix.hostmetrics start=0s time=115s 4"
        )
    }

    @Test func aFullTableRefusesAndIsCounted() {
        let full = SeriesTable(capacity: 0)
        var destination = HostEntity.Destination(full, lane: "test")
        var host = HostEntity([], start: 0, .sinceLastReport)
        host.append([io("eth0", 1), io("eth1", 2)], of: .network, at: Self.time(1), to: &destination)
        #expect((destination.refused, destination.parts.count) == (2, 0))
    }
}
