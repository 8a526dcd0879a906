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

    /// Notes what the source is to do; `tell` tells it. Tasks that tell may run in any order: the newest order is decided here.
    func order(toEnd: Bool) { state.withLock { $0.wanted = toEnd } }
    /// Tells the source what was ordered last; who comes while another tells leaves it to that one.
    func tell() async {
        let isMine = state.withLock { state in
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
