import PhoenixModel

@testable import PhoenixNodes

/// A desk whose every answer is known beforehand: what the API makes of it is what is tested.
final class FixedDesk: ControlDesk {
    struct Order: Equatable {
        var mode: Mode
        var duration: Duration?
        var reason: String
    }
    private struct State {
        var mode = Mode.balanced
        var order: Order?
        var reports: [AnomalyReport] = []
    }
    private let state = Lock(State())
    private let takesOrders: Bool

    init(takesOrders: Bool = true) { self.takesOrders = takesOrders }

    var order: Order? { state.withLock { $0.order } }
    var reports: [AnomalyReport] { state.withLock { $0.reports } }

    func override(_ mode: Mode, for duration: Duration?, reason: String) -> ControlReceipt {
        receipt("held") { state in
            state.order = Order(mode: mode, duration: duration, reason: reason)
            state.mode = mode
        }
    }
    func clear() -> ControlReceipt {
        receipt("cleared") { state in
            state.order = nil
            state.mode = .balanced
        }
    }
    func report(_ anomaly: AnomalyReport) -> ControlReceipt {
        receipt("noted") { $0.reports.append(anomaly) }
    }
    private func receipt(_ message: String, _ change: (inout State) -> Void) -> ControlReceipt {
        state.withLock { state in
            let before = state.mode
            guard takesOrders else {
                return ControlReceipt(success: false, message: "not now", current: before, previous: before)
            }
            change(&state)
            return ControlReceipt(success: true, message: message, current: state.mode, previous: before)
        }
    }

    /// 2026-01-01T00:00:00Z.
    static let start: UInt64 = 1_767_225_600_000_000_000
    static let decisions = (1...3).reversed().map { number in
        Decision(
            timeUnixNano: start + UInt64(number) * 60_500_000_000,
            from: .conservative,
            to: .balanced,
            reason: "decision \(number)",
            correlationID: "pv3ux-\(number)",
            version: UInt64(number),
            terms: terms,
            kpis: kpis,
            forecasts: [.conservative: 40_000, .balanced: 18_000, .aggressive: .nan]
        )
    }
    private static let terms = ControlTerms(
        kp: 0.5,
        ki: 0.1,
        kd: 0.05,
        lastError: -2000,
        integral: -5000,
        derivative: 12.5,
        output: -1499.375
    )
    private static var kpis: ControlKPIs {
        var kpis = ControlKPIs()
        (kpis.fullSeries, kpis.optimizedSeries) = (40_000, 18_000)
        // Not a share, and not a number: neither may get out.
        (kpis.cpuUtilization, kpis.intakeGrowth) = (1.25, .infinity)
        return kpis
    }

    var status: ControlStatus {
        let (mode, order) = state.withLock { ($0.mode, $0.order) }
        return ControlStatus(
            mode: mode,
            version: 3,
            correlationID: "pv3ux-3",
            reason: order.map { "MANUAL: \($0.reason)" } ?? "decision 3",
            sinceUnixNano: Self.start,
            kpis: Self.kpis,
            forecasts: Self.decisions[0].forecasts,
            terms: Self.terms,
            thresholds: .init(
                target: 20_000,
                conservativeMaximum: 15_000,
                aggressiveMinimum: 25_000,
                hysteresis: 0.1
            ),
            interval: .seconds(60),
            uptime: .milliseconds(90_500),
            transitionCount: 2,
            stabilityScore: 0.75,
            isSafeMode: false,
            forced: nil,
            override: order.map { order in
                ControlStatus.Override(
                    mode: order.mode,
                    reason: order.reason,
                    untilUnixNano: order.duration.map { Self.start + $0.nanoseconds },
                    remaining: order.duration
                )
            },
            exposure: ["full_fidelity": true, "experimental_topk": false],
            recentSignals: Array(Self.decisions.prefix(2))
        )
    }
    func history(_ limit: Int) -> [Decision] { Array(Self.decisions.prefix(limit)) }
}

extension Duration {
    fileprivate var nanoseconds: UInt64 { UInt64(components.seconds) * 1_000_000_000 }
}
