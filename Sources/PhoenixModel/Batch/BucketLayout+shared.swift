/// What points of unlike bounds have in common: their counts at the bounds that both have are known.
extension BucketLayout {
    /// The bounds that both have; count and sum alone where one has no buckets.
    public func shared(with other: BucketLayout) -> BucketLayout {
        guard hasBuckets, other.hasBuckets else { return .none }
        var rest = other.bounds[...]
        let shared = bounds.filter { bound in
            rest = rest.drop { $0 < bound }
            return rest.first == bound
        }
        return shared.count == bounds.count ? self : BucketLayout(bounds: shared)
    }
    /// The counts in the buckets of another layout, which has all of our bounds, as counts in ours.
    public func counts(_ buckets: [UInt64], of finer: BucketLayout) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: bucketCount)
        guard hasBuckets else { return counts }
        var place = 0
        for (index, count) in buckets.enumerated() {
            counts[place] &+= count
            let isAtBound = index < finer.bounds.count && place < bounds.count
            if isAtBound, finer.bounds[index] == bounds[place] { place += 1 }
        }
        return counts
    }
}
