import PhoenixModel

/// Where the words of the points of a block stand, in the order in which the decoder reads them.
///
/// It knows the usual ways of writing only, and throws at any other: then there is no template.
struct TemplateScan {
    private struct Unusual: Error {}
    private typealias Words = MetricsTemplate.Words

    private(set) var numbers: [MetricsTemplate.Words] = []
    var histograms: [HistogramWords] = []
    /// How many points there are, of all kinds.
    private(set) var count = 0
    /// From where places are counted.
    private let origin: UnsafePointer<UInt8>

    /// - Parameter rest: what follows the resource in a resource block.
    init(_ rest: ProtobufCursor) throws {
        var cursor = rest
        origin = rest.position
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x12: try scanScope(cursor.delimited())
            case 0x1A: _ = try cursor.delimited()
            default: throw Unusual()
            }
        }
    }
    private mutating func scanScope(_ message: ProtobufCursor) throws {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x12: try scanMetric(cursor.delimited())
            case 0x0A, 0x1A: _ = try cursor.delimited()
            default: throw Unusual()
            }
        }
    }
    private mutating func scanMetric(_ message: ProtobufCursor) throws {
        var (cursor, data, isHistogram) = (message, ProtobufCursor?.none, false)
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A, 0x12, 0x1A, 0x62: _ = try cursor.delimited()
            case 0x2A where data == nil, 0x3A where data == nil: data = try cursor.delimited()
            case 0x4A where data == nil: (data, isHistogram) = (try cursor.delimited(), true)
            default: throw Unusual()
            }
        }
        guard var points = data else { return }
        while !points.isAtEnd {
            switch try points.tag() {
            case 0x0A where isHistogram: try scanHistogram(points.delimited())
            case 0x0A: try scanNumber(points.delimited())
            case 0x10, 0x18: _ = try points.varint()
            default: throw Unusual()
            }
        }
    }
    private mutating func nextPoint() -> UInt32 {
        defer { count += 1 }
        return UInt32(count)
    }
    private func place(_ cursor: ProtobufCursor) -> UInt32 { UInt32(cursor.position - origin) }

    /// Of a word that is written twice the last counts.
    private mutating func scanNumber(_ message: ProtobufCursor) throws {
        var (cursor, words) = (message, Words(point: nextPoint()))
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            switch tag {
            case 0x11: words.start = place(cursor)
            case 0x19: words.time = place(cursor)
            case 0x21:
                words.value = place(cursor)
                words.flags.remove(.isInteger)
            case 0x31:
                words.value = place(cursor)
                words.flags.insert(.isInteger)
            case 0x3A, 0x40: break
            default: throw Unusual()
            }
            try cursor.skip(tag)
        }
        // Without a time it is refused, or says that nothing was recorded: rare enough for the long way.
        guard words.time != Words.absent, words.value != Words.absent else { throw Unusual() }
        numbers.append(words)
    }
    private mutating func scanHistogram(_ message: ProtobufCursor) throws {
        var (cursor, words) = (message, HistogramWords(point: nextPoint()))
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            switch tag {
            case 0x11: words.start = place(cursor)
            case 0x19: words.time = place(cursor)
            case 0x21: words.count = place(cursor)
            case 0x29:
                words.sum = place(cursor)
                words.flags.insert(.hasSum)
            case 0x59:
                words.minimum = place(cursor)
                words.flags.insert(.hasMinimum)
            case 0x61:
                words.maximum = place(cursor)
                words.flags.insert(.hasMaximum)
            case 0x32 where words.buckets == Words.absent:
                let field = try cursor.delimited()
                words.buckets = place(field)
                words.bucketCount = UInt32(field.left / 8)
                continue
            case 0x3A, 0x4A, 0x50: break
            default: throw Unusual()
            }
            try cursor.skip(tag)
        }
        guard words.time != Words.absent else { throw Unusual() }
        histograms.append(words)
    }
}
