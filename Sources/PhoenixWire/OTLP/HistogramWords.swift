import PhoenixModel

/// Where the words of a histogram point stand in a block that agrees with a `MetricsTemplate`; its bounds are among the bytes
/// that agree.
struct HistogramWords: BitwiseCopyable {
    private typealias Words = MetricsTemplate.Words

    var time = Words.absent
    var start = Words.absent
    var count = Words.absent
    var sum = Words.absent
    var minimum = Words.absent
    var maximum = Words.absent
    /// The first of `bucketCount` words.
    var buckets = Words.absent
    var bucketCount: UInt32 = 0
    /// Which of the block's points it is, of any kind.
    var point: UInt32
    var flags: PointFlags = []
    /// Held by the template.
    var layout = Unmanaged.passUnretained(BucketLayout.none)

    init(point: UInt32) { self.point = point }

    /// All but those of the buckets.
    var words: [UInt32] { [time, start, count, sum, minimum, maximum] }

    @inline(__always)
    func draft(in block: UnsafePointer<UInt8>) -> HistogramDraft {
        HistogramDraft(
            time: block.word(at: time),
            start: block.word(ifAt: start),
            count: block.word(ifAt: count),
            sum: Double(bitPattern: block.word(ifAt: sum)),
            minimum: Double(bitPattern: block.word(ifAt: minimum)),
            maximum: Double(bitPattern: block.word(ifAt: maximum))
        )
    }
    /// Whether the words that a scan found are those of a point that the decoder read, whose counts lie in `counts`.
    func isFound(
        in block: UnsafePointer<UInt8>,
        as point: HistogramRows.Point,
        _ counts: CountColumn
    ) -> Bool {
        let bucketCount = Int(bucketCount)
        guard draft(in: block).isSame(as: point.draft), flags == point.flags,
            point.layout.bucketCount == bucketCount
        else { return false }
        return (0..<bucketCount).allSatisfy {
            counts[point.offset + $0] == block.word(at: buckets + UInt32($0) * 8)
        }
    }
}

extension HistogramDraft {
    /// Bit by bit.
    fileprivate func isSame(as other: Self) -> Bool {
        (time, start, count) == (other.time, other.start, other.count)
            && sum.bitPattern == other.sum.bitPattern && minimum.bitPattern == other.minimum.bitPattern
            && maximum.bitPattern == other.maximum.bitPattern
    }
}

extension HistogramRows {
    /// Adds the histogram points of a block that agrees with a template, whose ids are known. False where one of them would
    /// be refused: those before it were added then.
    mutating func append(_ template: MetricsTemplate, of block: UnsafePointer<UInt8>) -> Bool {
        for words in template.histograms {
            let (draft, offset) = (words.draft(in: block), counts.count)
            if draft.time == 0 { return false }
            if words.bucketCount > 0 {
                counts.begin()
                counts.append(words: block + Int(words.buckets), Int(words.bucketCount))
                guard counts.total() == draft.count else { return false }
            }
            append(template.ids[Int(words.point)], draft, words.flags, words.layout, bucketsFrom: offset)
        }
        return true
    }
}
