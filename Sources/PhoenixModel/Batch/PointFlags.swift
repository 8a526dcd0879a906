/// What a point says of itself beside its numbers.
public struct PointFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The value bits are a signed integer; otherwise a double.
    public static let isInteger = Self(rawValue: 1)
    /// The stream ended here: only series and time mean anything (OTLP `NO_RECORDED_VALUE`).
    public static let noRecordedValue = Self(rawValue: 2)
    /// `sum` is present, of a histogram.
    public static let hasSum = Self(rawValue: 4)
    public static let hasMinimum = Self(rawValue: 8)
    public static let hasMaximum = Self(rawValue: 16)
    /// All that it tells is told for the first time, whatever its times say: the first total of a series that one of our
    /// nodes counts itself, or a window of one. Between nodes only: no sender can say it.
    public static let isNews = Self(rawValue: 32)
}
