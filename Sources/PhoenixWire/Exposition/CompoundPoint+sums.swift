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
            guard let own = summary, let newer = other.summary else { return false }
            // Quantiles cannot be added: the newer ones stand where they are the same, else none do.
            content =
                own.quantiles == newer.quantiles
                ? .summary(quantiles: newer.quantiles, values: newer.values)
                : .summary(quantiles: [], values: [])
        default: return false
        }
        count &+= other.count
        sum = sum.flatMap { sum in other.sum.map { sum + $0 } }
        return true
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
            guard numbers.pointee.layout == earlier.numbers.pointee.layout,
                difference.numbers.pointee.subtractCounts(earlier.numbers.pointee)
            else { return nil }
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
}
