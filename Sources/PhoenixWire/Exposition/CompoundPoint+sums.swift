import PhoenixModel

/// How points of one series meet.
extension CompoundPoint {
    /// Becomes the newer point.
    func replace(with newer: CompoundPoint) {
        (count, sum, start, content) = (newer.count, newer.sum, newer.start, newer.content)
    }

    /// Adds a point of the same kind; false, and nothing changed, for histograms of unlike buckets.
    func add(_ other: CompoundPoint) -> Bool {
        switch (shape, other.shape) {
        case (.histogram, .histogram):
            guard numbers.pointee.layout == other.numbers.pointee.layout else { return false }
            numbers.pointee.addCounts(other.numbers.pointee)
        case (.exponential, .exponential):
            var buckets = numbers.pointee.exponentialBuckets
            buckets.add(other.numbers.pointee.exponentialBuckets)
            content = .exponential(buckets)
        case (.summary, .summary):
            // Quantiles of several streams cannot be put together.
            content = .summary(quantiles: [], values: [])
        default: return false
        }
        count &+= other.count
        sum = sum.flatMap { sum in other.sum.map { sum + $0 } }
        return true
    }

    /// Adds a point of another series: of histograms at the bounds that both have, for what lies below those is known of both.
    /// False, and nothing changed, where one is exponential and the other is not.
    func merge(_ other: CompoundPoint) -> Bool {
        let (layout, theirs) = (numbers.pointee.layout, other.numbers.pointee.layout)
        guard shape == .histogram, other.shape == .histogram, layout != theirs,
            case .histogram(_, let buckets) = content, case .histogram(_, let more) = other.content
        else { return add(other) }
        let shared = layout.shared(with: theirs)
        content = .histogram(layout: shared, buckets: shared.counts(buckets, of: layout))
        return add(
            CompoundPoint(
                count: other.count,
                sum: other.sum,
                start: other.start,
                content: .histogram(layout: shared, buckets: shared.counts(more, of: theirs))
            )
        )
    }

    /// How much a cumulative point grew since an earlier one; nil where it did not: a reset.
    func increase(since earlier: CompoundPoint) -> CompoundPoint? {
        guard count >= earlier.count else { return nil }
        let difference = CompoundPoint(
            count: count - earlier.count,
            sum: sum.flatMap { sum in earlier.sum.map { sum - $0 } },
            start: start,
            content: content
        )
        switch (shape, earlier.shape) {
        case (.histogram, .histogram):
            guard numbers.pointee.layout == earlier.numbers.pointee.layout else {
                return increase(sinceUnlike: earlier)
            }
            guard difference.numbers.pointee.subtractCounts(earlier.numbers.pointee) else { return nil }
        case (.exponential, .exponential):
            let buckets = numbers.pointee.exponentialBuckets
            guard let rest = buckets.subtracting(earlier.numbers.pointee.exponentialBuckets) else {
                return nil
            }
            difference.content = .exponential(rest)
        case (.summary, .summary): break
        default: return nil
        }
        return difference
    }
    /// The same for histograms of unlike bounds: the counts at the bounds that both have tell.
    private func increase(sinceUnlike earlier: CompoundPoint) -> CompoundPoint? {
        guard case .histogram(let layout, let buckets) = content,
            case .histogram(let theirs, let before) = earlier.content
        else { return nil }
        let shared = layout.shared(with: theirs)
        let (now, then) = (shared.counts(buckets, of: layout), shared.counts(before, of: theirs))
        guard zip(then, now).allSatisfy({ $0 <= $1 }) else { return nil }
        return CompoundPoint(
            count: count - earlier.count,
            sum: sum.flatMap { sum in earlier.sum.map { sum - $0 } },
            start: start,
            content: .histogram(layout: shared, buckets: zip(now, then).map { $0 - $1 })
        )
    }
}
