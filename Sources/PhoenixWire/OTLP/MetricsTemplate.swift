import PhoenixModel

/// The scopes and metrics of a resource block, all bytes but the times, starts and values of its number points, and those of
/// its histogram points: their counts are as wide.
///
/// What a sender says about one resource it says about the next in the same bytes, and again a few seconds later: the
/// words that vary are fixed in width and so stand at the same places. Bytes that agree everywhere else need not be
/// read: only these words are, and what the points are is known. One template serves all resources with these metrics.
///
/// The memory is its owner's, see `TemplateCache`. `bytes` and `mask` hold `count` bytes each; every place in `words` and
/// `histograms` lies at least eight before the end, or as many counts before it as are there.
struct MetricsTemplate {
    /// Where the words of a number point stand; `absent` where it has none.
    struct Words: BitwiseCopyable {
        var time = Self.absent
        var start = Self.absent
        var value = Self.absent
        /// Which of the block's points it is, of any kind.
        var point: UInt32
        var flags: PointFlags = []
        static var absent: UInt32 { .max }
    }
    let count: Int
    /// The bytes as they came first, with zeros in place of what varies.
    let bytes: UnsafeMutablePointer<UInt8>
    /// All ones for bytes that must agree, zeros for those that vary.
    let mask: UnsafeMutablePointer<UInt8>
    let words: UnsafeMutableBufferPointer<Words>
    let histograms: UnsafeMutableBufferPointer<HistogramWords>
    /// Of all points, in the order of the block.
    let series: UnsafeMutableBufferPointer<SeriesPart>
    /// Where the ids of these series go while a block is read that has histograms.
    let ids: UnsafeMutableBufferPointer<SeriesID>

    /// A template of `example`, whose points belong to `parts`, one for one.
    init(_ example: ProtobufCursor, _ found: TemplateScan, _ parts: [SeriesPart]) {
        count = example.left
        bytes = .allocate(capacity: count)
        mask = .allocate(capacity: count)
        bytes.update(from: example.position, count: count)
        mask.update(repeating: 0xFF, count: count)
        words = .allocate(capacity: found.numbers.count)
        histograms = .allocate(capacity: found.histograms.count)
        series = .allocate(capacity: parts.count)
        ids = .allocate(capacity: parts.count)
        _ = words.initialize(fromContentsOf: found.numbers)
        _ = histograms.initialize(fromContentsOf: found.histograms)
        _ = series.initialize(fromContentsOf: parts)
        ids.initialize(repeating: .none)
        for place in found.numbers {
            for word in [place.time, place.start, place.value] { pass(over: word) }
        }
        for place in found.histograms {
            for word in place.words { pass(over: word) }
            if place.bucketCount > 0 { pass(over: place.buckets, words: Int(place.bucketCount)) }
            _ = place.layout.retain()
        }
    }
    /// Has bytes vary: so many words from a place on.
    private func pass(over place: UInt32, words: Int = 1) {
        if place == Words.absent { return }
        (bytes + Int(place)).update(repeating: 0, count: words * 8)
        (mask + Int(place)).update(repeating: 0, count: words * 8)
    }
    func free() {
        for place in histograms { place.layout.release() }
        histograms.deallocate()
        ids.deallocate()
        bytes.deallocate()
        mask.deallocate()
        words.deallocate()
        series.deallocate()
    }

    /// Whether these bytes, `count` of them, agree wherever they must.
    @inline(__always)
    func matches(_ start: UnsafePointer<UInt8>) -> Bool {
        // The bits that differ, put together: no way out of the inner loops, so that they take as many words at a time as the
        // machine does.
        var (offset, differing) = (0, UInt64(0))
        while offset + 64 <= count, differing == 0 {
            for word in 0..<8 { differing |= differingBits(start, at: offset + word * 8) }
            offset += 64
        }
        while offset + 8 <= count {
            differing |= differingBits(start, at: offset)
            offset += 8
        }
        if differing != 0 { return false }
        while offset < count {
            if start[offset] & self.mask[offset] != bytes[offset] { return false }
            offset += 1
        }
        return true
    }
    /// Those of a word that must agree and do not.
    @inline(__always)
    private func differingBits(_ start: UnsafePointer<UInt8>, at offset: Int) -> UInt64 {
        let other = UnsafeRawPointer(start).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let own = UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let mask = UnsafeRawPointer(mask).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return (other & mask) ^ own
    }
}

/// The templates of one decoder: the one that came after the last is tried first, then those of the same length.
///
/// Bounded: past its limits it starts anew. Senders whose bytes never repeat soon cost it nothing but a look at lengths.
struct TemplateCache {
    private struct Entry {
        var template: MetricsTemplate
        /// The entry that came after this one last time.
        var next: Int
        /// Keeps the slots of `template.series` from being given to others.
        var holds: [(Metric, AttributeSet)]
    }
    static var maximumEntries: Int { 512 }
    static var maximumBlockBytes: Int { 64 << 10 }
    /// So many of one length: more would make a miss slow.
    static var maximumOfOneLength: Int { 8 }
    /// So many blocks are learned in vain; one that is recognised pays for some more.
    static var fullPatience: Int { 1024 }
    private static var reward: Int { 16 }

    private var entries: [Entry] = []
    private var byLength: [Int: [Int]] = [:]
    private var latest = -1
    private var byteCount = 0
    private let maximumBytes: Int
    /// How many more blocks are learned before one must repeat.
    private var patience = TemplateCache.fullPatience
    private var misses = 0
    /// How many blocks were recognised.
    private(set) var hits = 0
    /// How many templates were made.
    private(set) var learned = 0

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    var count: Int { entries.count }

    /// The template that these bytes agree with.
    @inline(__always)
    mutating func find(_ block: ProtobufCursor) -> MetricsTemplate? {
        if latest >= 0 {
            let guess = entries[latest].next
            if entries[guess].template.count == block.left,
                entries[guess].template.matches(block.position)
            {
                return found(guess)
            }
        }
        return lookUp(block)
    }
    @inline(__always)
    private mutating func found(_ entry: Int) -> MetricsTemplate {
        latest = entry
        hits &+= 1
        if patience < Self.fullPatience { patience += Self.reward }
        return entries[entry].template
    }
    @inline(never)
    private mutating func lookUp(_ block: ProtobufCursor) -> MetricsTemplate? {
        for entry in byLength[block.left] ?? [] where entries[entry].template.matches(block.position) {
            if latest >= 0 { entries[latest].next = entry }
            return found(entry)
        }
        return nil
    }

    /// Whether a block that was not found is worth learning.
    mutating func wants(_ block: ProtobufCursor) -> Bool {
        misses &+= 1
        // One try now and then: senders change.
        if misses & 255 == 0 { patience = max(patience, 1) }
        return patience > 0 && block.left <= Self.maximumBlockBytes
            && byLength[block.left]?.count ?? 0 < Self.maximumOfOneLength
    }
    mutating func add(_ template: MetricsTemplate, holding holds: [(Metric, AttributeSet)]) {
        let size = template.count * 2 + template.series.count * 72 + template.histograms.count * 48
        if entries.count >= Self.maximumEntries || byteCount + size > maximumBytes { removeAll() }
        let number = entries.count
        entries.append(Entry(template: template, next: number, holds: holds))
        byLength[template.count, default: []].append(number)
        byteCount += size
        learned += 1
        patience -= 1
        if latest >= 0 { entries[latest].next = number }
        latest = number
    }
    mutating func removeAll() {
        for entry in entries { entry.template.free() }
        entries.removeAll()
        byLength.removeAll()
        (latest, byteCount) = (-1, 0)
    }
}
