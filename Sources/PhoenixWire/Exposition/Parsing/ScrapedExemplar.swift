import PhoenixModel

/// An exemplar as it stands on a line: ` # {labels} value [timestamp]`.
struct ScrapedExemplar {
    private var labels: LabelSet
    private var number: Number
    private var time: UInt64?
    /// What all labels together may have, in characters (OpenMetrics 1.0).
    private static let maximumCharacters = 128

    /// Reads an exemplar; the cursor stands on its `#`. Nil for one that is too long, which only itself is lost by.
    init?(_ cursor: inout ExpositionCursor) throws(ExpositionCursor.Misread) {
        let begin = cursor
        cursor.position += 1
        guard cursor.next == .space, cursor.byte(1) == .openBrace else { throw begin.misread(.exemplar) }
        cursor.position += 1
        var labels = LabelSet()
        try cursor.labels(into: &labels)
        // Between quotes alone stands a metric's name, which an exemplar has none of.
        guard !labels.contains(LabelSet.name) else { throw begin.misread(.exemplar) }
        let characters = labels.labels.reduce(0) {
            $0 + $1.name.unicodeScalars.count + $1.value.unicodeScalars.count
        }
        try cursor.separator(.exemplar)
        let place = cursor
        guard let number = SampleNumber.value(cursor.token()) else { throw place.misread(.value) }
        var time: UInt64?
        if cursor.next == .space {
            cursor.position += 1
            let place = cursor
            let read = SampleNumber.time(cursor.token(), inSeconds: true)
            guard read.isNumber else { throw place.misread(.timestamp) }
            time = read.time
        }
        guard characters <= Self.maximumCharacters else { return nil }
        (self.labels, self.number, self.time) = (labels, number, time)
    }

    /// An exemplar of a protobuf message; nil for one that is too long.
    init?(_ fields: ExemplarFields) {
        let characters = fields.labels.reduce(0) {
            $0 + $1.name.unicodeScalars.count + $1.value.unicodeScalars.count
        }
        guard characters <= Self.maximumCharacters else { return nil }
        labels = LabelSet(fields.labels.map { (key: $0.name, value: $0.value) })
        (number, time) = (Number(fields.value), fields.time)
    }

    /// The exemplar of a series; without a time of its own it has the sample's.
    func exemplar(of series: SeriesID, at sampleTime: UInt64) -> Exemplar {
        let (trace, span) = (Self.bytes(labels["trace_id"], 16), Self.bytes(labels["span_id"], 8))
        let rest = labels.labels.filter { label in
            !label.value.isEmpty && !(label.name == "trace_id" && trace != nil)
                && !(label.name == "span_id" && span != nil)
        }
        return Exemplar(
            series: series,
            timeUnixNano: time ?? sampleTime,
            bits: number.bits,
            flags: number.isInteger ? .isInteger : [],
            traceID: trace ?? [],
            spanID: span ?? [],
            filteredAttributes: AttributeSet(rest.map { Attribute($0.name, $0.value) })
        )
    }
    /// The bytes of an id in hexadecimal digits; nil where it is no id of that length.
    private static func bytes(_ text: String, _ count: Int) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == count * 2 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16), digits[index] != UInt8(ascii: "+") else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
