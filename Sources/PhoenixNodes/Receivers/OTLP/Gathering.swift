/// Whether requests that were read wait a moment, for others to come with them into one batch.
///
/// A batch has its price at every node, however few points it has. So while requests come faster than they are placed,
/// those of several turns of the event loop go together: as long as each look finds more of them, and never longer
/// than `limit` after the first. A request that comes alone is never kept waiting.
struct Gathering {
    /// How long the loop lets others come before it looks again.
    static let pause = Duration.microseconds(30)
    static let limit = Duration.microseconds(500)
    /// A batch of so many requests, no longer ago than `memory`, says that there is much to do.
    static let crowd = 8
    static let memory = Duration.milliseconds(5)

    /// The requests at the last look.
    private var seen = 0
    private var crowdedAt: Duration?

    /// Whether `requests`, of which the oldest came at `oldest`, wait; asked at the end of a turn.
    mutating func waits(_ requests: Int, since oldest: Duration, now: Duration) -> Bool {
        defer { seen = requests }
        let isBusy = crowdedAt.map { now - $0 < Self.memory } ?? false
        return requests > seen && (requests > 1 || isBusy) && now - oldest < Self.limit
    }
    /// They were placed.
    mutating func placed(_ requests: Int, now: Duration) {
        seen = 0
        if requests >= Self.crowd { crowdedAt = now }
    }
}
