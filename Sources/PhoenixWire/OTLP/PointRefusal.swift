/// Why a point of a well-formed request is refused; the rest of the request is taken.
///
/// Sources: opentelemetry-proto metrics.proto, the comments of each field; docs/specification.md, partial success.
public enum PointRefusal: UInt8, Sendable, CaseIterable {
    case noTime, noValue, temporality, bucketCount, bounds, count, range, seriesLimit

    /// The `reason` of the counter.
    public var label: String {
        switch self {
        case .noTime: "no_time"
        case .noValue: "no_value"
        case .temporality: "unspecified_temporality"
        case .bucketCount: "bucket_count"
        case .bounds: "bucket_bounds"
        case .count: "count_mismatch"
        case .range: "out_of_range"
        case .seriesLimit: "series_limit"
        }
    }
    /// What the sender is told.
    public var message: String {
        switch self {
        case .noTime: "time_unix_nano is 0; set it to the time of the measurement"
        case .noValue: "a number point has neither as_double nor as_int"
        case .temporality: "aggregation_temporality is neither delta nor cumulative"
        case .bucketCount: "bucket_counts must be empty, or one more than explicit_bounds"
        case .bounds: "explicit_bounds must increase strictly"
        case .count: "count is not the sum of the bucket counts"
        case .range: "scale and bucket indexes reach beyond what a double can hold"
        case .seriesLimit: "the series table is full; raise engine.max_series or send fewer series"
        }
    }
}

/// How many points were refused, and why.
public struct Refusals: Sendable, Equatable {
    private var counts: [Int] = Array(repeating: 0, count: PointRefusal.allCases.count)
    public private(set) var total = 0
    public init() {}
    public subscript(reason: PointRefusal) -> Int { counts[Int(reason.rawValue)] }
    mutating func add(_ reason: PointRefusal, _ count: Int = 1) {
        counts[Int(reason.rawValue)] += count
        total += count
    }
    /// One sentence for the sender: each reason with its count.
    public var message: String {
        PointRefusal.allCases.filter { self[$0] > 0 }.map { "\(self[$0]) refused: \($0.message)" }
            .joined(separator: "; ")
    }
}
