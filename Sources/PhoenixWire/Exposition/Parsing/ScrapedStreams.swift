import PhoenixModel

/// One series of a target, as points of it go out: what several lines may add to.
struct ScrapedStream {
    var metric: Metric
    var attributes: AttributeSet
    var resource: Int
    /// Which of the successive tenants of its place it is.
    var tenant: UInt32
    /// The id that it had in the last scrape that was taken.
    var id = SeriesID.none
    /// The id that it has in the scrape under way; found when that is taken.
    var fresh = SeriesID.none
    /// The scrape that held it last.
    var seen: UInt32 = 0
    /// The time of its newest point in that scrape, and whether the target gave it.
    var time: UInt64 = 0
    var isTimed = false
    /// Where that point is: among the numbers of the batch in the making, or among the drafts.
    var place = 0
    /// The batch that it went into.
    var batch = 0
    /// When it was created, and the scrape that said so.
    var created: UInt64 = 0
    var createdIn: UInt32 = 0
    /// Whether its end is yet to be told when it is missed.
    var isLive = false
    /// The buckets that it had last.
    var layout: BucketLayout?
}

/// The streams of one target.
struct ScrapedStreams {
    private struct Key: Hashable {
        var metric: UInt32
        var attributes: UInt32
        var resource: Int
    }
    private var streams: [ScrapedStream?] = []
    private var tenants: [UInt32] = []
    private var free: [Int32] = []
    private var index: [Key: Int32] = [:]
    /// All streams there are, in the order in which they were last seen.
    private(set) var known: [Int32] = []

    /// Whether the place still has this tenant.
    @inline(__always)
    func isCurrent(_ stream: Int32, _ tenant: UInt32) -> Bool {
        tenants.withUnsafeBufferPointer { $0[Int(stream)] == tenant }
    }
    subscript(stream: Int32) -> ScrapedStream {
        @inline(__always) get { streams[Int(stream)].unsafelyUnwrapped }
        @inline(__always) _modify { yield &streams[Int(stream)]! }
    }
    func tenant(_ stream: Int32) -> UInt32 { tenants[Int(stream)] }

    /// The stream of a metric, an attribute set and a resource; the caller counts the use of the resource when it is new.
    mutating func find(_ metric: Metric, _ attributes: AttributeSet, _ resource: Int) -> (Int32, isNew: Bool)
    {
        let key = Key(metric: metric.slot, attributes: attributes.slot, resource: resource)
        if let found = index[key] { return (found, false) }
        let place = free.popLast() ?? Int32(streams.count)
        if Int(place) == streams.count {
            streams.append(nil)
            tenants.append(0)
        }
        tenants[Int(place)] &+= 1
        streams[Int(place)] = ScrapedStream(
            metric: metric,
            attributes: attributes,
            resource: resource,
            tenant: tenants[Int(place)]
        )
        index[key] = place
        known.append(place)
        return (place, true)
    }
    /// Takes out the streams that a scrape did not hold; answers the resource of each.
    mutating func removeUnseen(_ scrape: UInt32) -> [Int] { remove { $0.seen != scrape } }
    /// Takes out the streams that gave no point to the last scrape that was taken; answers the resource of each.
    mutating func removeNameless() -> [Int] { remove { $0.id == .none } }
    private mutating func remove(where isGone: (ScrapedStream) -> Bool) -> [Int] {
        var (kept, resources): ([Int32], [Int]) = ([], [])
        kept.reserveCapacity(known.count)
        for place in known {
            guard let stream = streams[Int(place)] else { continue }
            guard isGone(stream) else {
                kept.append(place)
                continue
            }
            index[
                Key(metric: stream.metric.slot, attributes: stream.attributes.slot, resource: stream.resource)
            ] =
                nil
            streams[Int(place)] = nil
            tenants[Int(place)] &+= 1
            free.append(place)
            resources.append(stream.resource)
        }
        known = kept
        return resources
    }
}
