import PhoenixModel

/// Tells a source to end or to go on, the newest order last: two calls to an actor may arrive in either order.
final class SourceOrders: Sendable {
    private struct State {
        var isEnding = false
        var wanted = false
        var isTelling = false
    }
    private let state = Lock(State())
    private let quiesce: @Sendable () async -> Void
    private let reopen: @Sendable () async -> Void

    init?(_ node: AnyNode) {
        guard let quiesce = node.quiesce, let reopen = node.reopen else { return nil }
        (self.quiesce, self.reopen) = (quiesce, reopen)
    }

    /// Tells the source; who comes while another tells leaves the order to it.
    func tell(toEnd: Bool) async {
        let isMine = state.withLock { state in
            state.wanted = toEnd
            defer { state.isTelling = true }
            return !state.isTelling
        }
        guard isMine else { return }
        while let toEnd = next() { await (toEnd ? quiesce : reopen)() }
    }
    private func next() -> Bool? {
        state.withLock { state in
            guard state.isEnding != state.wanted else {
                state.isTelling = false
                return nil
            }
            state.isEnding = state.wanted
            return state.wanted
        }
    }
}
