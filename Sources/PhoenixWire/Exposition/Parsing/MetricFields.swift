/// The fields of a `MetricFamily`; its metrics are read one by one.
struct FamilyFields {
    var name = ""
    var help = ""
    var type = ScrapedType.counter
    /// In the words of the exposition.
    var unit = ""
    var metrics: [ProtobufCursor] = []

    init(_ message: ProtobufCursor) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A: name = try cursor.text()
            case 0x12: help = try cursor.text()
            case 0x18: type = ScrapedType(number: try cursor.varint())
            case 0x22: metrics.append(try cursor.delimited())
            case 0x2A: unit = try cursor.text()
            case let tag: try cursor.skip(tag)
            }
        }
    }
}

extension ScrapedType {
    /// The type that a number in `MetricType` stands for.
    fileprivate init(number: UInt64) {
        switch number {
        case 0: self = .counter
        case 1: self = .gauge
        case 2: self = .summary
        case 4: self = .histogram
        case 5: self = .gaugeHistogram
        default: self = .unknown
        }
    }
}

/// The fields of a `Metric`, of the content that fits its family's type.
struct MetricFields {
    enum Content {
        case number(Double)
        case summary(SummaryFields)
        case histogram(HistogramFields)
        case native(NativeFields)
    }
    var labels: [(name: String, value: String)] = []
    /// Nil where the message has nothing of its family's type.
    var content: Content?
    /// Since 1970, if the target gave a time.
    var milliseconds: Int64?
    /// In nanoseconds since 1970; 0 where it is not known.
    var created: UInt64 = 0
    /// Those that belong to no bucket.
    var exemplars: [ExemplarFields] = []

    init(_ message: ProtobufCursor, _ type: ScrapedType) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch (try cursor.tag(), type) {
            case (0x0A, _): labels.append(try Self.label(cursor.delimited()))
            case (0x12, .gauge), (0x1A, .counter), (0x2A, .unknown): try readNumber(cursor.delimited(), type)
            case (0x22, .summary):
                let summary = try SummaryFields(cursor.delimited())
                (content, created) = (.summary(summary), summary.created)
            case (0x30, _): milliseconds = Int64(bitPattern: try cursor.varint())
            case (0x3A, .histogram), (0x3A, .gaugeHistogram):
                let histogram = try HistogramFields(cursor.delimited())
                (created, exemplars) = (histogram.created, histogram.exemplars)
                content = histogram.native.isNative ? .native(histogram.native) : .histogram(histogram)
            case (let tag, _): try cursor.skip(tag)
            }
        }
    }
    private mutating func readNumber(_ message: ProtobufCursor, _ type: ScrapedType) throws(MalformedMessage)
    {
        var (cursor, number) = (message, 0.0)
        while !cursor.isAtEnd {
            switch (try cursor.tag(), type) {
            case (0x09, _): number = try cursor.double()
            case (0x12, .counter): exemplars = [try ExemplarFields(cursor.delimited())]
            case (0x1A, .counter): created = try TimestampFields.time(cursor.delimited()) ?? 0
            case (let tag, _): try cursor.skip(tag)
            }
        }
        content = .number(number)
    }
    static func label(_ message: ProtobufCursor) throws(MalformedMessage) -> (name: String, value: String) {
        var (cursor, label) = (message, (name: "", value: ""))
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A: label.name = try cursor.text()
            case 0x12: label.value = try cursor.text()
            case let tag: try cursor.skip(tag)
            }
        }
        return label
    }
}

enum TimestampFields {
    /// The nanoseconds since 1970 that a `Timestamp` stands for; nil before 1970 or beyond 2554.
    static func time(_ message: ProtobufCursor) throws(MalformedMessage) -> UInt64? {
        var (cursor, seconds, nanoseconds) = (message, Int64(0), Int64(0))
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x08: seconds = Int64(bitPattern: try cursor.varint())
            case 0x10: nanoseconds = Int64(bitPattern: try cursor.varint())
            case let tag: try cursor.skip(tag)
            }
        }
        guard (0..<1_000_000_000).contains(nanoseconds), let whole = UInt64(exactly: seconds) else {
            return nil
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(UInt64(nanoseconds))
        return overflow || carry ? nil : sum
    }
}

struct ExemplarFields {
    var labels: [(name: String, value: String)] = []
    var value = 0.0
    var time: UInt64?

    init(_ message: ProtobufCursor) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A: labels.append(try MetricFields.label(cursor.delimited()))
            case 0x11: value = try cursor.double()
            case 0x1A: time = try TimestampFields.time(cursor.delimited())
            case let tag: try cursor.skip(tag)
            }
        }
    }
}

struct SummaryFields {
    var count: UInt64 = 0
    var sum = 0.0
    var quantiles: [(quantile: Double, value: Double)] = []
    var created: UInt64 = 0

    init(_ message: ProtobufCursor) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x08: count = try cursor.varint()
            case 0x11: sum = try cursor.double()
            case 0x1A: quantiles.append(try Self.quantile(cursor.delimited()))
            case 0x22: created = try TimestampFields.time(cursor.delimited()) ?? 0
            case let tag: try cursor.skip(tag)
            }
        }
    }
    private static func quantile(_ message: ProtobufCursor) throws(MalformedMessage) -> (Double, Double) {
        var (cursor, quantile, value) = (message, 0.0, 0.0)
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x09: quantile = try cursor.double()
            case 0x11: value = try cursor.double()
            case let tag: try cursor.skip(tag)
            }
        }
        return (quantile, value)
    }
}

/// A `Histogram`: classic buckets, and what makes it a native one.
struct HistogramFields {
    struct Bucket {
        var count: UInt64 = 0
        var bound = 0.0
        var exemplar: ExemplarFields?
    }
    var count: UInt64 = 0
    /// Nil where the target told none.
    var sum: Double?
    var buckets: [Bucket] = []
    var native = NativeFields()
    var created: UInt64 = 0
    var exemplars: [ExemplarFields] = []

    init(_ message: ProtobufCursor) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x08: count = try cursor.varint()
            case 0x11: sum = try cursor.double()
            case 0x1A: buckets.append(try Self.bucket(cursor.delimited()))
            case 0x7A: created = try TimestampFields.time(cursor.delimited()) ?? 0
            case 0x82: exemplars.append(try ExemplarFields(cursor.delimited()))
            case let tag: try native.read(tag, &cursor)
            }
        }
        (native.count, native.sum) = (count, sum)
    }
    private static func bucket(_ message: ProtobufCursor) throws(MalformedMessage) -> Bucket {
        var (cursor, bucket) = (message, Bucket())
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x08: bucket.count = try cursor.varint()
            case 0x11: bucket.bound = try cursor.double()
            case 0x1A: bucket.exemplar = try ExemplarFields(cursor.delimited())
            case let tag: try cursor.skip(tag)
            }
        }
        return bucket
    }
}
