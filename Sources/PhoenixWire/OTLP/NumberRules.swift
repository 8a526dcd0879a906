import PhoenixModel

/// What makes a gauge's or sum's point worth taking; the same for every encoding.
///
/// Source: opentelemetry-proto metrics.proto, NumberDataPoint.
enum NumberRules {
    @inline(__always)
    static func refusal(time: UInt64, hasValue: Bool, _ flags: PointFlags) -> PointRefusal? {
        if flags.contains(.noRecordedValue) { return nil }
        if time == 0 { return .noTime }
        return hasValue ? nil : .noValue
    }
}
