import PhoenixModel

/// What is held of a point of several numbers: one object a series.
final class CompoundPoint {
    enum Content {
        case histogram(layout: BucketLayout, buckets: [UInt64])
        case exponential(ExponentialBuckets)
        case summary(quantiles: [Double], values: [Double])
    }
    /// Where the numbers are as long as the object is: whoever has many to change finds them without it.
    let numbers: UnsafeMutablePointer<HeldNumbers>

    init(count: UInt64, sum: Double?, start: UInt64, content: Content) {
        numbers = .allocate(capacity: 1)
        numbers.initialize(to: HeldNumbers(count: count, sum: sum, start: start, content: content))
    }
    deinit {
        numbers.pointee.free()
        numbers.deinitialize(count: 1)
        numbers.deallocate()
    }
    var count: UInt64 {
        get { numbers.pointee.count }
        set { numbers.pointee.count = newValue }
    }
    /// Nil where it is not known.
    var sum: Double? {
        get { numbers.pointee.sum }
        set { numbers.pointee.sum = newValue }
    }
    var start: UInt64 {
        get { numbers.pointee.start }
        set { numbers.pointee.start = newValue }
    }
    /// What it says beside its count and sum, in values of their own.
    var content: Content {
        get { numbers.pointee.content }
        set { numbers.pointee.content = newValue }
    }
    var shape: HeldNumbers.Shape { numbers.pointee.shape }
    func copy() -> CompoundPoint { CompoundPoint(count: count, sum: sum, start: start, content: content) }
}

/// What is shown of it.
extension CompoundPoint {
    /// Cumulative buckets; the last is infinite and equals the count. A summary has none.
    var classicBuckets: [(bound: Double, count: UInt64)] {
        switch shape {
        case .summary: return []
        case .exponential: return numbers.pointee.exponentialBuckets.classic()
        case .histogram:
            let (layout, width, words) = (
                numbers.pointee.layout, numbers.pointee.width, numbers.pointee.words
            )
            var (result, total): ([(bound: Double, count: UInt64)], UInt64) = ([], 0)
            result.reserveCapacity(width + 1)
            for (index, bound) in layout.bounds.enumerated() where index < width && bound.isFinite {
                total &+= words[index]
                result.append((bound, total))
            }
            result.append((.infinity, count))
            return result
        }
    }
    /// What a summary says beside its count and sum; nil for what is none.
    var summary: (quantiles: [Double], values: [Double])? {
        guard shape == .summary, case .summary(let quantiles, let values) = content else { return nil }
        return (quantiles, values)
    }
    /// The buckets of an exponential histogram; nil for what is none.
    var exponential: ExponentialBuckets? { shape == .exponential ? numbers.pointee.exponentialBuckets : nil }
}
