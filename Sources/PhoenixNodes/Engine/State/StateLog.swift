import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// What became of the kept state, for the engine's metrics.
final class StateLog: Sendable {
    /// How the process began.
    enum Beginning: String, CaseIterable { case restored, absent, damaged, alien }
    private struct State {
        var beginning: Beginning?
        var gap = 0.0
        var forgotten = 0
        var saves = 0
        var failures = 0
        var bytes = 0
        var seconds = 0.0
        var savedAt: Duration?
    }
    private let state = Lock(State())
    private let time: any TimeSource
    init(_ time: any TimeSource) { self.time = time }

    func began(_ beginning: Beginning, gap: Double = 0, forgotten: Int = 0) {
        state.withLock { ($0.beginning, $0.gap, $0.forgotten) = (beginning, gap, forgotten) }
    }
    func saved(bytes: Int, seconds: Double) {
        let now = time.monotonic
        state.withLock { state in
            state.saves += 1
            (state.bytes, state.seconds, state.savedAt) = (bytes, seconds, now)
        }
    }
    func failed() { state.withLock { $0.failures += 1 } }

    var families: [PlainFamily] {
        let state = state.withLock { $0 }
        var families = [
            PlainFamily(
                "phoenix_state_restores_total",
                "How the process began: with the state of the one before, or without and why.",
                .counter,
                Beginning.allCases.map {
                    .init(state.beginning == $0 ? 1 : 0, [ExposedLabel("outcome", $0.rawValue)])
                }
            ),
            PlainFamily(
                "phoenix_state_gap_seconds",
                "From the last writing of the process before to this one's start, where that one did not end in order.",
                .gauge,
                state.gap
            ),
            PlainFamily(
                "phoenix_state_forgotten_nodes",
                "Nodes of the process before whose state no node of the graph reads.",
                .gauge,
                Double(state.forgotten)
            ),
            PlainFamily(
                "phoenix_state_saves_total",
                "How often the state was written, by outcome.",
                .counter,
                [
                    .init(Double(state.saves), [ExposedLabel("outcome", "success")]),
                    .init(Double(state.failures), [ExposedLabel("outcome", "failure")]),
                ]
            ),
            PlainFamily(
                "phoenix_state_bytes",
                "The size of the state last written.",
                .gauge,
                Double(state.bytes)
            ),
            PlainFamily(
                "phoenix_state_save_seconds",
                "How long the last writing took.",
                .gauge,
                state.seconds
            ),
        ]
        if let savedAt = state.savedAt {
            families.append(
                PlainFamily(
                    "phoenix_state_age_seconds",
                    "Since the state was last written.",
                    .gauge,
                    (time.monotonic - savedAt).inSeconds
                )
            )
        }
        return families
    }
}
