/// How much an inlet's queue holds before its senders wait.
public struct QueueLimits: Sendable, Hashable {
    public var batches: Int
    /// A single message larger than this is taken when the queue is empty.
    public var bytes: Int
    /// How long an alert of an observation stays set after it was last raised: the control period.
    public var alertPeriod: Duration
    /// A `batches` below 1 counts as 1; below 8 every message costs a wake-up.
    public init(
        batches: Int = 64,
        bytes: Int = 64 << 20,
        alertPeriod: Duration = .seconds(60)
    ) {
        (self.batches, self.bytes, self.alertPeriod) = (max(1, batches), max(1, bytes), alertPeriod)
    }
}
