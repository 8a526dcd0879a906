import PhoenixModel
import Testing

@testable import PhoenixWire

/// What is held, and what becomes of points.
@Suite struct ExpositionStoreTests {
    @Test func olderPointsAreDroppedAndCounted() throws {
        let fixture = ExpositionFixture()
        let id = fixture.series("g")
        fixture.put(id, 2, at: 20)
        fixture.put(id, 1, at: 10)
        fixture.put(id, 3, at: 20)
        #expect(try fixture.read().value("g") == 3)
        #expect(fixture.store.counts[.outOfOrder] == 1)
        #expect(fixture.store.counts.received == 3)
    }
    @Test func noRecordedValueEndsOneSeriesOnly() throws {
        let fixture = ExpositionFixture()
        let (first, second) = (
            fixture.series("g", [Attribute("a", "1")]), fixture.series("g", [Attribute("a", "2")])
        )
        fixture.put(first, 1, at: 5)
        fixture.put([(first, .zero), (second, Number(Int64(2)))], at: 6)
        fixture.end(first, at: 7)
        let read = try fixture.read()
        #expect(read.value("g", ["a": "1"]) == nil)
        #expect(read.value("g", ["a": "2"]) == 2)
        #expect(fixture.store.activeSeries == 1)
        #expect(fixture.store.counts.ended == 1)
        fixture.put(first, 9, at: 8)
        #expect(try fixture.read().value("g", ["a": "1"]) == 9)
    }
    @Test func deltasAccumulate() throws {
        let fixture = ExpositionFixture()
        let sum = fixture.series("d", kind: .sum, temporality: .delta)
        let updown = fixture.series("u", kind: .sum, temporality: .delta, monotonic: false)
        let histogram = fixture.series("h", kind: .histogram, temporality: .delta)
        for time in 1...3 as ClosedRange<UInt64> {
            fixture.put(sum, 5, at: time)
            fixture.put(updown, 1, at: time)
            fixture.put(histogram: histogram, [1, 2], bounds: [1], sum: 2, at: time)
        }
        fixture.put(sum, 5, at: 3)
        let read = try fixture.read()
        #expect(read.value("d_total") == 15)
        #expect(read.value("u") == nil)
        #expect(read.value("h_bucket", ["le": "+Inf"]) == 9)
        #expect(read.value("h_sum") == 6)
        #expect(fixture.store.counts[.deltaNonMonotonic] == 3)
        #expect(fixture.store.counts[.outOfOrder] == 1)
    }
    @Test func deltaExponentialsAddExactly() throws {
        let fixture = ExpositionFixture()
        let id = fixture.series("e", kind: .exponentialHistogram, temporality: .delta)
        fixture.put(exponential: id, scale: 1, zero: 1, positive: (-3, [1, 2, 3]), at: 1)
        fixture.put(exponential: id, scale: 0, positive: (40, [7]), at: 2)
        fixture.put(
            exponential: id,
            scale: 20,
            positive: (Int32.max - 1, [1]),
            negative: (Int32.min, [2]),
            at: 3
        )
        #expect(try fixture.read(.text).value("e_bucket", ["le": "+Inf"]) == 17)
        #expect(try fixture.read(.text).value("e_count") == 17)
    }
    /// What is held is written over in place, whatever its buckets were before.
    @Test func pointsOfOtherBucketsReplaceTheOlder() throws {
        let fixture = ExpositionFixture()
        let (plain, exponential) = (
            fixture.series("h", kind: .histogram), fixture.series("e", kind: .exponentialHistogram)
        )
        for (bounds, buckets) in [
            ([1.0], [1, 2]), ([1, 2, 3], [1, 2, 3, 4]), ([2], [3, 0]), ([2], [4, 1]),
        ]
            as [([Double], [UInt64])]
        {
            for sum in [nil, 2.5] {
                fixture.put(histogram: plain, buckets, bounds: bounds, sum: sum)
                let shown = try fixture.read(.text)
                #expect(shown.value("h_count") == Double(buckets.reduce(0, +)))
                #expect(shown.value("h_sum") == sum)
                #expect(shown.value("h_bucket", ["le": "1"]) == (bounds.contains(1) ? 1 : nil))
                #expect(shown.value("h_bucket", ["le": "+Inf"]) == Double(buckets.reduce(0, +)))
            }
        }
        for counts in [[1, 2], [1, 2, 3, 4, 5, 6], [7], []] as [[UInt64]] {
            fixture.put(
                exponential: exponential,
                scale: 0,
                zero: 1,
                positive: (0, counts),
                negative: (1, [2])
            )
            let shown = try fixture.read(.text)
            #expect(shown.value("e_bucket", ["le": "+Inf"]) == Double(counts.reduce(3, +)))
            #expect(shown.value("e_bucket", ["le": "-2"]) == 2)
        }
    }
    @Test func seriesEndByTheClock() throws {
        var fixture = ExpositionFixture()
        let (old, young) = (fixture.series("a"), fixture.series("b"))
        fixture.put(old, 1)
        fixture.now = .seconds(200)
        fixture.put(young, 1)
        _ = try fixture.text()
        fixture.now = .seconds(301)
        #expect(try fixture.read().value("a") == nil, "hidden even before the sweep")
        #expect(fixture.store.activeSeries == 2)
        #expect(fixture.store.expire(now: fixture.now))
        #expect(fixture.store.activeSeries == 1)
        #expect(fixture.store.counts.expired == 1)
        fixture.now = .seconds(600)
        while !fixture.store.expire(now: fixture.now, limit: 1) {}
        #expect(try fixture.text(.openMetrics) == "# EOF\n")
        fixture.put(old, 4, at: 9)
        #expect(try fixture.read().value("a") == 4)
    }
    @Test func firstTypeWinsUntilItIsGone() throws {
        var fixture = ExpositionFixture()
        let (gauge, counter) = (fixture.series("x.total"), fixture.series("x", kind: .sum))
        let histogram = fixture.series("x", kind: .histogram)
        fixture.put(gauge, 1)
        fixture.put(counter, 2)
        fixture.put(histogram: histogram, [1], bounds: [])
        #expect(
            try fixture.text() == """
                # TYPE x histogram
                x_bucket{le="+Inf"} 1
                x_sum 1
                x_count 1
                # TYPE x_total gauge
                x_total 1

                """
        )
        #expect(fixture.store.counts[.nameClash] == 1)
        fixture.now = .seconds(301)
        fixture.store.expire(now: fixture.now)
        fixture.put(counter, 3, at: 2)
        #expect(try fixture.read().value("x_total") == 3)
    }
    @Test func typeConflictIsCounted() throws {
        let fixture = ExpositionFixture()
        fixture.put(fixture.series("x.y", kind: .sum), 1)
        fixture.put(histogram: fixture.series("x_y", kind: .histogram), [1], bounds: [])
        #expect(try fixture.text() == "# TYPE x_y_total counter\nx_y_total 1\n")
        #expect(fixture.store.counts[.typeConflict] == 1)
    }
    @Test func noMoreThanTheMaximum() throws {
        let fixture = ExpositionFixture { $0.maximumSeries = 2 }
        for index in 0..<5 { fixture.put(fixture.series("g", [Attribute("i", .int(Int64(index)))]), 1) }
        #expect(fixture.store.activeSeries == 2)
        #expect(fixture.store.counts[.seriesLimit] == 3)
    }
    @Test func negativeCountersAreLeftOutOfOpenMetricsOnly() throws {
        let fixture = ExpositionFixture()
        fixture.put(fixture.series("c", kind: .sum), -1.0)
        #expect(try fixture.text().contains("c_total -1"))
        #expect(try fixture.text(.openMetrics) == "# EOF\n")
    }

    // MARK: Two series, one label set

    @Test func collidingCountersAddTheirIncrements() throws {
        let fixture = ExpositionFixture(watchingSince: 100)
        let (first, second, third) = (
            fixture.series("c", kind: .sum, resource: [Attribute("pid", .int(1))]),
            fixture.series("c", kind: .sum, resource: [Attribute("pid", .int(2))]),
            fixture.series("c", kind: .sum, resource: [Attribute("pid", .int(3))])
        )
        fixture.put(first, 1000, at: 110, start: 50)
        fixture.put(second, 500, at: 110, start: 50)  // began before: its first value is a base
        #expect(try fixture.read().value("c_total") == 1000)
        fixture.put(first, 1010, at: 120, start: 50)
        fixture.put(second, 507, at: 120, start: 50)
        fixture.put(third, 3, at: 120, start: 115)  // began while we watched: counts from zero
        #expect(try fixture.read().value("c_total") == 1020)
        fixture.put(first, 4, at: 130, start: 125)  // a reset
        #expect(try fixture.read().value("c_total") == 1024)
        fixture.end(second, at: 131)
        #expect(try fixture.read().value("c_total") == 1024, "what it added stays")
        fixture.end(first, at: 131)
        fixture.end(third, at: 131)
        #expect(fixture.store.activeSeries == 0)
        #expect(fixture.store.counts.collisions == 2)
    }
    @Test func collidingGaugesShowTheNewest() throws {
        let fixture = ExpositionFixture()
        let (first, second) = (fixture.series("g.x"), fixture.series("g_x"))
        fixture.put(first, 1, at: 5)
        fixture.put(second, 2, at: 6)
        fixture.put(first, 3, at: 5)
        #expect(try fixture.text() == "# TYPE g_x gauge\ng_x 2\n")
        #expect(fixture.store.activeSeries == 1)
    }
    @Test func collidingHistogramsAddTheirIncrements() throws {
        let fixture = ExpositionFixture(watchingSince: 1)
        let (first, second) = (
            fixture.series("h.x", kind: .histogram), fixture.series("h_x", kind: .histogram)
        )
        fixture.put(histogram: first, [1, 1], bounds: [1], sum: 3, at: 10, start: 5)
        fixture.put(histogram: second, [2, 0], bounds: [1], sum: 1, at: 10, start: 5)
        fixture.put(histogram: first, [2, 1], bounds: [1], sum: 3.5, at: 20, start: 5)
        let read = try fixture.read()
        #expect(read.value("h_x_bucket", ["le": "1.0"]) == 4)
        #expect(read.value("h_x_count") == 5)
        #expect(read.value("h_x_sum") == 4.5)
    }
    @Test func mergedSeriesExpireWithTheirLastInput() throws {
        var fixture = ExpositionFixture()
        let (first, second) = (fixture.series("c.x", kind: .sum), fixture.series("c_x", kind: .sum))
        fixture.put(first, 1, at: 1)
        fixture.put(second, 1, at: 1)
        fixture.now = .seconds(200)
        fixture.put(second, 2, at: 2)
        fixture.now = .seconds(400)
        fixture.store.expire(now: fixture.now)
        #expect(try fixture.read().value("c_x_total") == 2)
        fixture.now = .seconds(600)
        fixture.store.expire(now: fixture.now)
        #expect(fixture.store.activeSeries == 0)
    }
    @Test func sameLabelsFromDifferentPlacesAreOneSet() throws {
        let fixture = ExpositionFixture { options in
            options.addsScopeLabels = false
            options.convertsResource = true
            options.exposesTargetInfo = false
        }
        fixture.put(fixture.series("g", [Attribute("x", "1")]), 1, at: 1)
        fixture.put(fixture.series("g", resource: [Attribute("x", "1")]), 2, at: 2)
        #expect(try fixture.text() == "# TYPE g gauge\ng{x=\"1\"} 2\n")
    }
}
