import PhoenixModel

/// What one may ask of a running `mode` controller from outside the graph: its API over HTTP and gRPC stands on this.
///
/// Every answer is immediate and consistent in itself; nothing here waits, so that event loops may call it.
protocol ControlDesk: Sendable {
    /// Holds a mode against thresholds and alerts: for a while, or until it is cleared where `duration` is nil.
    func override(_ mode: Mode, for duration: Duration?, reason: String) -> ControlReceipt
    /// Ends a manual override; the law decides again from now on. Succeeds also when there was none.
    func clear() -> ControlReceipt
    /// Hears of an anomaly that others found. The receipt says whether it forced a mode.
    func report(_ anomaly: AnomalyReport) -> ControlReceipt
    /// Everything that the controller reads and holds, at one moment.
    var status: ControlStatus { get }
    /// The newest decisions, the newest first.
    func history(_ limit: Int) -> [Decision]
}
