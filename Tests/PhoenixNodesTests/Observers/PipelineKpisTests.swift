import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct PipelineKpisTests {
    private func board() -> KPIBoard {
        KPIBoard(.init(staleAfter: .seconds(60), memoryLimitBytes: 1000, cores: 2))
    }
    private func said(
        _ source: String,
        _ readings: [Observation.Reading],
        _ alerts: [Observation.Alert] = []
    )
        -> Observation
    { Observation(source: source, timeUnixNano: 1, readings: readings, alerts: alerts) }
    private func value(
        _ readings: [Observation.Reading],
        _ name: String,
        _ labels: [String: String] = [:]
    ) -> Double? {
        readings.first { $0.name == name && $0.attributes == labels }?.value
    }
    private let optimized = ["pipeline": "optimized"]

    @Test func itPassesOnWhatNodesAdmitAndEndpointsExpose() {
        var board = board()
        let forecast = ["pipeline": "optimized", "mode": "aggressive"]
        board.take(
            said("node", [.init(KPIName.admitted, 40, optimized), .init(KPIName.wouldAdmit, 10, forecast)]),
            at: .zero
        )
        board.take(said("endpoint", [.init("phoenix_exposed_series", 2000, optimized)]), at: .zero)
        let (readings, alerts) = board.report(at: .seconds(1), own: nil)
        #expect(value(readings, KPIName.admitted, optimized) == 40)
        #expect(value(readings, KPIName.wouldAdmit, forecast) == 10)
        #expect(value(readings, KPIName.exposed, optimized) == 2000)
        let both = ["pipeline": "optimized", "phoenix_pipeline_label": "optimised"]
        #expect(value(readings, "phoenix_pipeline_output_cardinality_estimate", both) == 2000)
        #expect(value(readings, "phoenix_current_hourly_cost_usd", optimized) == 0.1)
        #expect(alerts.isEmpty)
    }

    @Test func aSnapshotReplacesTheOneBefore() {
        var board = board()
        board.take(said("node", [.init(KPIName.admitted, 40, optimized)]), at: .zero)
        board.take(said("node", [.init(KPIName.intake, 7)]), at: .seconds(1))
        let readings = board.report(at: .seconds(1), own: nil).readings
        #expect(value(readings, KPIName.admitted, optimized) == nil)
        #expect(value(readings, KPIName.intake) == 7)
    }

    @Test func whoHeardNothingOfLateSaysNothing() {
        var board = board()
        board.take(said("node", [.init(KPIName.intake, 7)]), at: .zero)
        let heard = board.report(at: .seconds(60), own: nil).readings
        #expect(!heard.isEmpty)
        let silent = board.report(at: .seconds(61), own: .init(cpuSeconds: 1, residentBytes: 1))
        #expect(silent.readings.isEmpty && silent.alerts.isEmpty)
    }

    @Test func alertsAreCountedAndPassedOn() {
        var board = board()
        let alert = Observation.Alert(KPIName.explosionAlert, "grows")
        board.take(said("a", [.init(KPIName.intake, 7)], [alert]), at: .zero)
        board.take(said("b", [], [alert]), at: .zero)
        let (readings, alerts) = board.report(at: .zero, own: nil)
        #expect(alerts == [alert])
        #expect(value(readings, "phoenix_cardinality_explosion_alert_count") == 1)
        board.take(said("a", [.init(KPIName.intake, 7)]), at: .seconds(1))
        board.take(said("b", []), at: .seconds(1))
        let later = board.report(at: .seconds(1), own: nil)
        #expect(later.alerts.isEmpty)
        #expect(value(later.readings, "phoenix_cardinality_explosion_alert_count") == 0)
    }

    @Test func processorsAndMemoryAreShares() {
        var board = board()
        board.take(said("a", [.init(KPIName.intake, 7)]), at: .zero)
        _ = board.report(at: .zero, own: .init(cpuSeconds: 1, residentBytes: 100))
        let readings = board.report(at: .seconds(10), own: .init(cpuSeconds: 6, residentBytes: 250)).readings
        #expect(value(readings, KPIName.cpuUtilization) == 0.25)
        #expect(value(readings, KPIName.memoryUtilization) == 0.25)
    }

    /// What one process exposes another reads: the split deployment sees the same.
    @Test func whatIsExposedOnEndpointsComesBackAsTheSameReadings() throws {
        let table = SeriesTable()
        let text = """
            phoenix_observer_kpi_store_phoenix_pipeline_admitted_series{; pipeline=optimized} gauge 40
            phoenix_observer_kpi_store_phoenix_pipeline_would_admit_series{; pipeline=optimized, mode=aggressive} gauge 10
            phoenix_optimised_output_ts_active{} gauge 2000
            phoenix_full_final_output_phoenix_full_output_ts_active{} gauge 5000
            phoenix_opt_final_output_phoenix_dropped_points{; reason=stale} sum cumulative monotonic 3
            phoenix_opt_final_output_process_cpu_time{} gauge 99
            process_cpu_seconds_total{} gauge 12
            """
        var scraped = ScrapedReadings()
        var board = board()
        for (reading, isOver) in scraped.readings(try PointText.batch(text, table), table) {
            board.take(reading, isOver: isOver, at: .zero)
        }
        let readings = board.report(at: .zero, own: nil).readings
        #expect(value(readings, KPIName.admitted, optimized) == 40)
        #expect(value(readings, KPIName.wouldAdmit, ["pipeline": "optimized", "mode": "aggressive"]) == 10)
        #expect(value(readings, KPIName.exposed, optimized) == 2000)
        #expect(value(readings, KPIName.exposed, ["pipeline": "full_fidelity"]) == 5000)
        #expect(value(readings, "phoenix_pipeline_dropped_points_total", optimized) == 3)
        let over = try PointText.batch("phoenix_optimised_output_ts_active{} gauge none", table)
        for (reading, isOver) in scraped.readings(over, table) {
            board.take(reading, isOver: isOver, at: .zero)
        }
        let later = board.report(at: .zero, own: nil).readings
        #expect(value(later, KPIName.exposed, optimized) == nil)
    }

    @Test func theNodeReportsAsObservationsAndAsMetrics() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(PipelineKPIs.Port.input)
            let told = harness.read(ObserverPort.observations)
            let shown = harness.read(ObserverPort.metrics)
            let node = try harness.make(PipelineKPIs.self)
            try await harness.run(node) {
                let reading = Observation.Reading(KPIName.intake, 7)
                try await harness.feed(
                    PipelineKPIs.Port.input,
                    Observation(source: "a", timeUnixNano: 1, readings: [reading])
                )
                try await world.clock.sleep(for: .seconds(80))
            }
            let counts = told.messages.map { $0.readings.filter { $0.name == KPIName.intake }.count }
            // Twelve reports in the minute for which it counts; then silence, though its own process goes on.
            try require(counts == Array(repeating: 1, count: 12), "\(counts)")
            let lines = shown.messages.flatMap { PointText.lines($0, harness.context.series) }
            try require(
                lines.contains { $0.hasPrefix("phoenix_intake_series{} gauge") && $0.hasSuffix(" 7.0") },
                "\(lines)"
            )
            try require(
                lines.contains { $0.hasPrefix("phoenix_intake_series{} gauge") && $0.hasSuffix(" none") },
                "not ended"
            )
        }
    }

    @Test func nothingLinkedIsToldAtStart() {
        #expect(throws: NothingToObserve.self) { try NodeHarness(ManualClock()).make(PipelineKPIs.self) }
    }

    @Test func latencyQuantilesAreRightToNinePercent() {
        var window = LatencyWindow()
        for milliseconds in 1...1000 {
            window.note(.milliseconds(milliseconds), points: 1, at: .seconds(100))
        }
        let found = window.quantiles([0.5, 0.95, 0.99], at: .seconds(101)) ?? []
        for (value, expected) in zip(found, [0.5, 0.95, 0.99]) {
            #expect(value >= expected && value <= expected * 1.13, "\(found)")
        }
        #expect(found.count == 3)
        let none = window.quantiles([0.5], at: .seconds(200))
        #expect(none == nil)
    }
}
