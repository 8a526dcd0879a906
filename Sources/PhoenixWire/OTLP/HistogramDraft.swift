/// The fields that explicit and exponential histogram points share, while one is read.
struct HistogramDraft {
    var time: UInt64 = 0
    var start: UInt64 = 0
    var count: UInt64 = 0
    var sum: Double = 0
    var minimum: Double = 0
    var maximum: Double = 0
}
