import NIOCore

/// Who is late while a body comes in: the peer that sends it, or the handler's gate that keeps us from reading it.
///
/// The difference is the peer's to know: what waited for us is to be sent again, what it did not send in time is not.
struct BodyWait {
    /// Since when the gate was found shut.
    private var shutSince: NIODeadline?

    /// Looked at once a tick; nil as long as neither is late.
    ///
    /// - Parameter start: when the body began.
    mutating func problem(
        _ gate: HTTPGate?,
        since start: NIODeadline,
        _ configuration: HTTPConfiguration,
        now: NIODeadline
    ) -> HTTPProblem? {
        guard let gate, !gate.isOpen else {
            shutSince = nil
            return now - start > TimeAmount(configuration.requestTimeout) ? .requestTimeout : nil
        }
        let since = shutSince ?? now
        shutSince = since
        return now - since > TimeAmount(gate.patience.wait ?? configuration.requestTimeout) ? .gateTimeout : nil
    }
}
