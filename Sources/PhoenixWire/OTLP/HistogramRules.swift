import Foundation
import PhoenixModel

/// What makes a histogram point consistent; the same for every encoding.
///
/// Source: opentelemetry-proto metrics.proto, HistogramDataPoint and ExponentialHistogramDataPoint.
enum HistogramRules {
    static func refusal(
        of draft: HistogramDraft,
        _ flags: PointFlags,
        bucketCount: Int,
        bucketSum: UInt64?,
        bounds: Int,
        areIncreasing: Bool
    ) -> PointRefusal? {
        if flags.contains(.noRecordedValue) {
            // Exempt from the rules, but its columns must still agree with each other.
            return bucketCount == 0 || (bucketCount == bounds + 1 && areIncreasing) ? nil : .bucketCount
        }
        if draft.time == 0 { return .noTime }
        guard bucketCount == 0 ? bounds == 0 : bucketCount == bounds + 1 else { return .bucketCount }
        guard areIncreasing else { return .bounds }
        if bucketCount > 0, bucketSum != draft.count { return .count }
        return nil
    }
    static func areIncreasing(_ bounds: [Double]) -> Bool {
        if let first = bounds.first, first.isNaN { return false }
        return zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
    }
    /// Whether all buckets of a side lie within what a double can hold: 2^-1074 to 2^1024.
    static func isInRange(scale: Int32, offset: Int32, count: Int) -> Bool {
        guard count > 0 else { return true }
        let exponentsPerBucket =
            (-20...20).contains(scale)
            // A power of two of a double's own, as exact.
            ? Double(bitPattern: UInt64(1023 - Int(scale)) << 52) : Foundation.exp2(-Double(scale))
        let lower = offset == 0 ? 0 : Double(offset) * exponentsPerBucket
        let last = Double(offset) + Double(count)
        let upper = last == 0 ? 0 : last * exponentsPerBucket
        return lower >= -1075 && upper <= 1024
    }
}
