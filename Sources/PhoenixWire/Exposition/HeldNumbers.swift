import PhoenixModel

/// The numbers of a held point, in memory that they own until `free`.
///
/// The unsafe part of holding: `words` has room for `capacity` words, of which the first `width` are in use, and every access
/// is within these. A point of a known shape is written over in place: nothing is counted or allocated for it.
struct HeldNumbers {
    /// What the words are.
    enum Shape {
        /// The counts of the buckets of `layout`.
        case histogram
        /// A head, then the counts of the positive side and the negative one.
        case exponential
        /// Quantiles, then as many values.
        case summary
    }
    var count: UInt64
    var start: UInt64
    private var knownSum: Double
    private var hasSum: Bool
    private(set) var shape = Shape.summary
    private(set) var layout = BucketLayout.none
    private(set) var width = 0
    private var capacity = 0
    private(set) var words: UnsafeMutablePointer<UInt64>

    init(count: UInt64, sum: Double?, start: UInt64, content: CompoundPoint.Content) {
        (self.count, self.start) = (count, start)
        (knownSum, hasSum) = (sum ?? 0, sum != nil)
        // Never read or written; not null, so that the common case is not optional.
        words = UnsafeMutablePointer(bitPattern: 8).unsafelyUnwrapped
        self.content = content
    }
    /// Gives the memory back; to be called once, at the end.
    func free() { if capacity > 0 { words.deallocate() } }

    /// Nil where it is not known.
    var sum: Double? {
        get { hasSum ? knownSum : nil }
        set { (knownSum, hasSum) = (newValue ?? 0, newValue != nil) }
    }
    /// What it says beside its count and sum, in values of their own.
    var content: CompoundPoint.Content {
        get {
            switch shape {
            case .histogram: return .histogram(layout: layout, buckets: array(0..<width))
            case .exponential: return .exponential(exponentialBuckets)
            case .summary:
                let values = array(0..<width).map { Double(bitPattern: $0) }
                return .summary(
                    quantiles: Array(values[..<(width / 2)]),
                    values: Array(values[(width / 2)...])
                )
            }
        }
        set {
            switch newValue {
            case .histogram(let layout, let buckets):
                precondition(buckets.count == layout.bucketCount)
                take(.histogram, width: buckets.count, layout)
                store(buckets, at: 0)
            case .exponential(let buckets):
                let (above, below) = (buckets.positive.counts, buckets.negative.counts)
                take(.exponential, width: Head.size + above.count + below.count)
                head = Head(
                    scale: buckets.scale,
                    zeroCount: buckets.zeroCount,
                    zeroThreshold: buckets.zeroThreshold,
                    positiveOffset: buckets.positive.offset,
                    positiveCount: above.count,
                    negativeOffset: buckets.negative.offset
                )
                store(above, at: Head.size)
                store(below, at: Head.size + above.count)
            case .summary(let quantiles, let values):
                let pairs = min(quantiles.count, values.count)
                take(.summary, width: pairs * 2)
                store(quantiles.prefix(pairs).map(\.bitPattern), at: 0)
                store(values.prefix(pairs).map(\.bitPattern), at: pairs)
            }
        }
    }

    // MARK: Words

    /// What an exponential histogram's words begin with.
    private struct Head: BitwiseCopyable {
        static var size: Int { 6 }
        var scale: Int
        var zeroCount: UInt64
        var zeroThreshold: Double
        var positiveOffset: Int
        var positiveCount: Int
        var negativeOffset: Int
    }
    @inline(__always) private var head: Head {
        get {
            precondition(width >= Head.size)
            return UnsafeRawPointer(words).loadUnaligned(as: Head.self)
        }
        nonmutating set {
            precondition(width >= Head.size)
            UnsafeMutableRawPointer(words).storeBytes(of: newValue, as: Head.self)
        }
    }
    var exponentialBuckets: ExponentialBuckets {
        let head = head
        let middle = Head.size + head.positiveCount
        return ExponentialBuckets(
            scale: head.scale,
            zeroCount: head.zeroCount,
            zeroThreshold: head.zeroThreshold,
            positive: .init(offset: head.positiveOffset, counts: array(Head.size..<middle)),
            negative: .init(offset: head.negativeOffset, counts: array(middle..<width))
        )
    }
    private func array(_ range: Range<Int>) -> [UInt64] {
        precondition(range.lowerBound >= 0 && range.upperBound <= width)
        return Array(UnsafeBufferPointer(start: words + range.lowerBound, count: range.count))
    }
    private func store(_ values: [UInt64], at place: Int) {
        precondition(place >= 0 && values.count <= width - place)
        for (index, value) in values.enumerated() { words[place + index] = value }
    }
    /// Takes on a shape of so many words, whatever they hold.
    private mutating func take(_ shape: Shape, width: Int, _ layout: BucketLayout = .none) {
        if width > capacity {
            let room = shape == .exponential ? width + width / 8 : width
            free()
            (words, capacity) = (.allocate(capacity: room), room)
            words.initialize(repeating: 0, count: room)
        }
        (self.shape, self.width, self.layout) = (shape, width, layout)
    }

    /// Adds the counts of a histogram of equal bounds.
    func addCounts(_ other: Self) {
        for index in 0..<min(width, other.width) { words[index] &+= other.words[index] }
    }
    /// Takes the counts of a histogram of equal bounds off; false where one is greater, and then what is left is of no use.
    func subtractCounts(_ other: Self) -> Bool {
        for index in 0..<min(width, other.width) {
            guard words[index] >= other.words[index] else { return false }
            words[index] -= other.words[index]
        }
        return true
    }

    // MARK: Points of batches

    @inline(__always)
    static func threshold(_ sent: Double) -> Double { sent.isFinite ? max(0, sent) : 0 }

    /// The numbers of a point that all histograms have.
    struct Figures {
        var count: UInt64
        var sum: Double
        var start: UInt64
        var flags: PointFlags
    }
    @inline(__always)
    private mutating func take(_ figures: Figures) {
        (count, start) = (figures.count, figures.start)
        (knownSum, hasSum) = (figures.sum, figures.flags.contains(.hasSum))
    }
    /// Becomes a newer point of a batch, whose buckets begin at `offset` in the column.
    @inline(__always)
    mutating func replace(
        with figures: Figures,
        _ layout: Unmanaged<BucketLayout>,
        _ column: UnsafeBufferPointer<UInt64>,
        _ offset: Int
    ) {
        take(figures)
        if shape != .histogram || Unmanaged.passUnretained(self.layout).toOpaque() != layout.toOpaque() {
            takeLayout(layout.takeUnretainedValue())
        }
        guard width > 0, let base = column.baseAddress else { return }
        precondition(offset >= 0 && width <= column.count && offset <= column.count - width)
        words.update(from: base + offset, count: width)
    }
    /// Another object, if not other bounds.
    @inline(never)
    private mutating func takeLayout(_ layout: BucketLayout) {
        take(.histogram, width: layout.bucketCount, layout)
    }
    /// Becomes a newer point of a batch.
    @inline(__always)
    mutating func replace(
        with figures: Figures,
        scale: Int32,
        zero: (count: UInt64, threshold: Double),
        _ positive: ExponentialPoints.Side,
        _ negative: ExponentialPoints.Side,
        _ column: UnsafeBufferPointer<UInt64>
    ) {
        take(figures)
        let needed = Head.size + positive.count + negative.count
        if shape != .exponential || needed > capacity { takeExponential(needed) }
        width = needed
        head = Head(
            scale: Int(scale),
            zeroCount: zero.count,
            zeroThreshold: Self.threshold(zero.threshold),
            positiveOffset: Int(positive.offset),
            positiveCount: positive.count,
            negativeOffset: Int(negative.offset)
        )
        store(positive, column, at: Head.size)
        store(negative, column, at: Head.size + positive.count)
    }
    @inline(never)
    private mutating func takeExponential(_ width: Int) { take(.exponential, width: width) }
    @inline(__always)
    private func store(_ side: ExponentialPoints.Side, _ column: UnsafeBufferPointer<UInt64>, at place: Int) {
        guard side.count > 0, let base = column.baseAddress else { return }
        precondition(place >= 0 && side.count <= width - place)
        precondition(side.start >= 0 && side.count <= column.count && side.start <= column.count - side.count)
        (words + place).update(from: base + side.start, count: side.count)
    }
}
