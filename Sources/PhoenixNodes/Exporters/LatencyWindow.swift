/// How long points were under way, over the last minute or so: a histogram whose buckets grow by an eighth of an octave.
///
/// A quantile is right to 9 %. Six kilobytes; one addition for each batch, which counts for all of its points.
struct LatencyWindow: Sendable {
    private static let perOctave = 8
    /// From a microsecond to more than two minutes.
    private static let bucketCount = 27 * perOctave
    /// The window is kept in shares; the oldest is given up as a new one begins.
    private static let shareCount = 7
    private static let shareSeconds: Int64 = 10

    private var counts = [UInt32](repeating: 0, count: shareCount * bucketCount)
    private var position: Int64 = 0

    /// Points that were under way for so long were seen at `now`, which only goes forward.
    mutating func note(_ latency: Duration, points: Int, at now: Duration) {
        advance(to: now)
        let share = Int(position % Int64(Self.shareCount))
        let index = share * Self.bucketCount + Self.bucket(latency)
        counts[index] = UInt32(clamping: Int(counts[index]) + points)
    }
    private mutating func advance(to now: Duration) {
        let next = now.components.seconds / Self.shareSeconds
        guard next > position else { return }
        for step in 0..<min(next - position, Int64(Self.shareCount)) {
            let first = Int((next - step) % Int64(Self.shareCount)) * Self.bucketCount
            for index in first..<first + Self.bucketCount { counts[index] = 0 }
        }
        position = next
    }

    /// The latencies below which these shares of the points lie, in seconds; nil where there were no points.
    mutating func quantiles(_ shares: [Double], at now: Duration) -> [Double]? {
        advance(to: now)
        var sums = [UInt64](repeating: 0, count: Self.bucketCount)
        for index in counts.indices { sums[index % Self.bucketCount] += UInt64(counts[index]) }
        let total = sums.reduce(0, +)
        guard total > 0 else { return nil }
        return shares.map { share in
            let rank = UInt64((Double(total) * share).rounded(.up))
            var below: UInt64 = 0
            let bucket = sums.firstIndex { count in
                below += count
                return below >= max(1, rank)
            }
            return Self.upperBound(bucket ?? Self.bucketCount - 1)
        }
    }

    private static func bucket(_ latency: Duration) -> Int {
        let microseconds = latency.inSeconds * 1e6
        guard microseconds > 1 else { return 0 }
        let octave = Int(microseconds.exponent)
        let part = Int((microseconds.significand - 1) * Double(perOctave))
        return min(octave * perOctave + part, bucketCount - 1)
    }
    private static func upperBound(_ bucket: Int) -> Double {
        let (octave, part) = bucket.quotientAndRemainder(dividingBy: perOctave)
        return Double(1 << octave) * (1 + Double(part + 1) / Double(perOctave)) / 1e6
    }
}
