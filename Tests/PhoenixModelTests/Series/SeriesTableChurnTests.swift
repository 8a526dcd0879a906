import Foundation
import Testing

@testable import PhoenixModel

/// A million series through a table for twenty thousand: slots are given again, and never to be mistaken.
@Suite struct SeriesTableChurnTests {
    #if DEBUG
    private static let total = 200_000
    #else
    private static let total = 1_000_000
    #endif
    private static var residentBytes: Int {
        let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    /// Finds the series of one number, as a receiver does.
    private func find(
        _ number: Int,
        _ table: SeriesTable,
        _ finder: inout SeriesFinder,
        _ metric: Metric
    ) -> SeriesID? {
        let resource = table.intern([Attribute("host", "host \(number / 100)")])
        let attributes = table.intern([Attribute("n", .int(Int64(number)))])
        defer { withExtendedLifetime((resource, attributes)) {} }
        return finder.find(resource: resource.slot, metric: metric.slot, attributes: attributes.slot)
    }
    private func isOf(_ number: Int, _ series: Series?) -> Bool {
        series?.attributes["n"] == .int(Int64(number))
            && series?.resource["host"] == .string("host \(number / 100)")
    }

    /// In a process of its own: beside other tests nobody could tell whose the memory is.
    @Test func neverAWrongSeriesAndMemoryStaysFlat() async {
        await #expect(processExitsWith: .success) {
            SeriesTableChurnTests().churn()
        }
    }
    private func churn() {
        let table = SeriesTable(capacity: 20_000, idleSeconds: 30)
        var finder = SeriesFinder(table: table, lane: table.lane("churn"))
        let metric = table.metric(MetricIdentity(name: "m", kind: .gauge))
        var (tick, refused, wrong, stale): (UInt32, Int, Int, Int) = (1, 0, 0, 0)
        var held: [(number: Int, id: SeriesID)] = []
        var settled = 0
        // A hundred new series a second live for thirty seconds and a minute in quarantine: nine thousand at once.
        for first in stride(from: 0, to: Self.total, by: 100) {
            finder.beginBatch()
            for number in first..<first + 100 {
                guard let id = find(number, table, &finder, metric) else {
                    refused += 1
                    continue
                }
                if number % 10 == 0, !isOf(number, table.series(id)) { wrong += 1 }
                if number % 1000 == 0 { held.append((number, id)) }
            }
            tick += 1
            table.advance(to: tick)
            if first == Self.total / 4 {
                settled = Self.residentBytes
                #expect(settled > 0)
            }
            if first % 20_000 == 0 {
                for (number, id) in held {
                    guard let series = table.series(id) else {
                        stale += 1
                        continue
                    }
                    if !isOf(number, series) { wrong += 1 }
                }
                #expect(table.census.attributeSets < 30_000)
            }
        }
        #expect(wrong == 0 && refused == 0 && stale > 0)
        #expect(table.census.retired > UInt64(Self.total - 20_480))
        #expect(Self.residentBytes - settled < 48 << 20)
    }
    @Test func whatDoesNotFitIsRefusedAndCounted() {
        let table = SeriesTable(capacity: 20_000, idleSeconds: 30)
        var finder = SeriesFinder(table: table, lane: table.lane("churn"))
        let metric = table.metric(MetricIdentity(name: "m", kind: .gauge))
        finder.beginBatch()
        var found = 0
        for number in 0..<30_000 where find(number, table, &finder, metric) != nil { found += 1 }
        #expect(found == 20_480 && table.census.series == found)
        #expect(table.census.refused == UInt64(30_000 - found))
        for tick in 2...200 as ClosedRange<UInt32> { table.advance(to: tick) }
        finder.beginBatch()
        #expect(find(40_000, table, &finder, metric) != nil && table.census.series == 1)
    }
    /// More new series a second than a chunk holds, so that the table is longer at each sweep.
    @Test func whatIsIdleIsRetiredWhileTheTableGrows() {
        let table = SeriesTable(capacity: 200_000, idleSeconds: 10)
        var finder = SeriesFinder(table: table, lane: table.lane("churn"))
        let metric = table.metric(MetricIdentity(name: "m", kind: .gauge))
        for tick in 2...200 as ClosedRange<UInt32> {
            finder.beginBatch()
            for number in 0..<1_500 { _ = find(Int(tick) * 1_500 + number, table, &finder, metric) }
            table.advance(to: tick)
            // Ten seconds idle, one and a half for a sweep of the whole table, and then no longer found.
            #expect(table.census.series <= 14 * 1_500)
        }
        #expect(table.census.refused == 0)
    }
    @Test func aSeriesThatIsSeenAgainLivesOn() {
        let table = SeriesTable(capacity: 20_000, idleSeconds: 30)
        var finder = SeriesFinder(table: table, lane: table.lane("churn"))
        let metric = table.metric(MetricIdentity(name: "m", kind: .gauge))
        finder.beginBatch()
        let first = find(7, table, &finder, metric)
        for tick in 2...400 as ClosedRange<UInt32> {
            table.advance(to: tick)
            finder.beginBatch()
            if tick % 25 == 0 { #expect(find(7, table, &finder, metric) == first) }
        }
        #expect(table.census.retired == 0)
    }
    @Test func aSeriesInQuarantineIsFoundUnderOneID() {
        let table = SeriesTable(capacity: 20_000, idleSeconds: 30)
        var finder = SeriesFinder(table: table, lane: table.lane("churn"))
        let metric = table.metric(MetricIdentity(name: "m", kind: .gauge))
        finder.beginBatch()
        let first = find(7, table, &finder, metric)
        for tick in 2...60 as ClosedRange<UInt32> { table.advance(to: tick) }
        finder.beginBatch()
        let again = find(7, table, &finder, metric)
        #expect(again != nil && isOf(7, again.flatMap(table.series)))
        for tick in 61...400 as ClosedRange<UInt32> {
            table.advance(to: tick)
            finder.beginBatch()
            if tick % 10 == 0 {
                let id = find(7, table, &finder, metric)
                #expect(id == again && isOf(7, id.flatMap(table.series)))
            }
        }
        #expect(first == again || first.map(table.isCurrent) == false)
    }
}
