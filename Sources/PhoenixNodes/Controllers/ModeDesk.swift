import Hummingbird
import PhoenixModel
import PhoenixRuntime

/// Where a person says which mode shall hold: the memory of a `manual` controller, shared with its HTTP endpoint.
final class ModeDesk: Sendable {
    private struct State {
        var current: ModeChange?
        var version: UInt64 = 0
    }
    private let context: NodeContext
    private let outlet: Outlet<ModeChange>
    private let state = Lock(State())

    init(_ context: NodeContext, _ outlet: Outlet<ModeChange>) {
        (self.context, self.outlet) = (context, outlet)
    }

    /// Grows by one with each decision, also from one node to its heir.
    var version: UInt64 {
        get { state.withLock { $0.version } }
        set { state.withLock { $0.version = max($0.version, newValue) } }
    }
    var current: ModeChange? { state.withLock { $0.current } }

    /// Goes on with what another desk asked for.
    func resume(_ change: ModeChange) { state.withLock { $0.current = change } }
    /// Tells what is asked for again.
    func `repeat`() { if let current { tell(current) } }

    /// Asks all who follow for a mode; the newest of several decisions counts. Nobody waits: modes are registers.
    @discardableResult
    func ask(_ mode: Mode, because reason: String) -> ModeChange {
        let change = state.withLock { state in
            state.version += 1
            let change = ModeChange(
                mode,
                because: reason,
                correlationID: "\(context.id)-\(state.version)",
                version: state.version,
                timeUnixNano: context.time.unixNanoseconds
            )
            state.current = change
            return change
        }
        tell(change)
        return change
    }
    private func tell(_ change: ModeChange) {
        guard !outlet.offer(change) else { return }
        context.logger.warning(
            "the mode reached nobody: nothing follows this controller",
            metadata: ["mode": "\(change.mode)"]
        )
    }
}

/// The path of a `manual` controller: `GET` shows the mode; `PUT` and `POST` `{"mode": "aggressive", "reason": "…"}` ask
/// for another.
///
/// Written as the control API's older `/mode` is: the same bodies, the same answers.
struct ModePath {
    let api: RoutedAPI

    init(_ desk: ModeDesk, path: String, _ context: NodeContext) {
        @Sendable func ask(_ request: Request, _ context: APIContext) async throws -> Response {
            let order = try await request.read(ModeOrder.self)
            let change = desk.ask(
                try OrderLimits.mode(order.mode),
                because: try OrderLimits.reason(order.reason, else: "asked for over HTTP")
            )
            return try context.json(ModeAnswer(change, status: "success"))
        }
        api = RoutedAPI(time: context.time, logger: context.logger) { router in
            let path = RouterPath(path)
            router.get(path) { _, context in
                guard let current = desk.current else {
                    throw APIError(.serviceUnavailable, "no mode was asked for yet")
                }
                return try context.json(ModeAnswer(current))
            }
            router.put(path, use: ask)
            router.post(path, use: ask)
        }
    }
}

extension ModeAnswer {
    init(_ change: ModeChange, status: String? = nil) {
        self.init(
            status: status,
            mode: change.mode.rawValue,
            reason: change.reason,
            version: change.version,
            correlation_id: change.correlationID
        )
    }
}
