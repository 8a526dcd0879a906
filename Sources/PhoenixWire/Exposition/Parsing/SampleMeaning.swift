import PhoenixModel

/// What a line means to its target's streams, found out at first sight.
struct SampleMeaning {
    /// What a sample is of its stream.
    enum Part: UInt8 {
        case number, bucket, sum, count, quantile, created
        /// A whole exponential histogram.
        case native
        /// Of a resource: `target_info`.
        case info
        /// Nothing: it is dropped for the reason beside.
        case nothing
    }
    var part = Part.nothing
    var drop = ScrapeDrop.relabeled
    /// Whether a family that is declared later may take the line: it has none, or is perhaps but the start of another's
    /// streams.
    var isContested = false
    /// What the value said when that made a difference.
    var hint = StartHint.none
    /// The stream's place, and which of its tenants is meant.
    var stream: Int32 = -1
    var tenant: UInt32 = 0
    /// The family that it was read with, as it was then; -1 for none.
    var family: Int32 = -1
    var signature: UInt32 = 0
    /// Of a contested line: how many families there had been.
    var additions: UInt32 = 0
    /// The bound of a bucket, or the quantile.
    var bound = 0.0
}

/// Whether the value of a sample decides if it is the start of a stream, and how.
enum StartHint: UInt8 { case none, start, number }

/// What a sample's name makes it, by the family that it belongs to.
struct SampleForm {
    var part = SampleMeaning.Part.number
    var kind = PointKind.gauge
    var isMonotonic = false
    /// What the sample's name has behind the metric's.
    var suffix = ""
    var family: Int32 = -1
    /// What the sample's value said, where that made it what it is.
    var hint = StartHint.none

    /// The names of the families that a sample of this name may belong to.
    static func families(of name: String) -> [Substring.UTF8View] {
        var names = [name[...].utf8]
        names += suffixes.filter { name.hasSuffix($0) }.map { name.dropLast($0.utf8.count).utf8 }
        if isCreated(name) { names.append("\(name.dropLast(created.utf8.count))_total"[...].utf8) }
        return names
    }
    private static let created = "_created"
    static func isCreated(_ name: String) -> Bool { name.hasSuffix(created) }

    /// The form of a sample of this name; without a family that fits it is a gauge. `isTime` tells whether its value may be
    /// the moment at which a stream began.
    init(
        of name: String,
        in families: ScrapedFamilies,
        isOpen: Bool,
        isNative: Bool = false,
        isTime: () -> Bool
    ) {
        let bytes = Array(name.utf8)
        if isNative {
            family = families.declared(bytes) ?? -1
            (part, kind) = (.native, .exponentialHistogram)
            if family >= 0, families[family].type == .gaugeHistogram { part = .nothing }
            return
        }
        let own = families.declared(bytes)
        let type = own.map { families[$0].type } ?? .unknown
        if !isOpen, Self.isCreated(name), type == .gauge || type == .unknown,
            isStart(of: bytes.dropLast(Self.created.utf8.count), in: families, isTime)
        {
            return
        }
        if let own {
            family = own
            exact(type)
            return
        }
        for suffix in Self.suffixes where name.hasSuffix(suffix) {
            guard let family = families.declared(bytes.dropLast(suffix.utf8.count)),
                suffixed(suffix, families[family].type, isOpen)
            else { continue }
            self.family = family
            return
        }
    }
    private static let suffixes = [
        "_total", "_created", "_bucket", "_sum", "_count", "_info", "_gsum", "_gcount",
    ]
    /// The text format knows no start of a stream: to Prometheus, `jobs_created` is a metric like any other. But clients
    /// write the start of `jobs_total` as a gauge of that name, and its family in OpenMetrics is the counter's, where the two
    /// would clash. So the value decides: what is no time that a stream can have begun at is a number of its own.
    private mutating func isStart(
        of base: ArraySlice<UInt8>,
        in families: ScrapedFamilies,
        _ isTime: () -> Bool
    ) -> Bool {
        guard let (family, kind) = Self.beginner(base, in: families) else { return false }
        hint = isTime() ? .start : .number
        guard hint == .start else { return false }
        (self.family, self.kind, isMonotonic) = (family, kind, kind == .sum)
        (part, suffix) = (.created, Self.created)
        return true
    }
    /// The family of streams with a start, whose name begins so.
    private static func beginner(
        _ base: ArraySlice<UInt8>,
        in families: ScrapedFamilies
    ) -> (family: Int32, kind: PointKind)? {
        let counter = families.declared(base + Array("_total".utf8))
        if let counter, families[counter].type == .counter { return (counter, .sum) }
        guard let family = families.declared(base) else { return nil }
        switch families[family].type {
        case .histogram: return (family, .histogram)
        case .summary: return (family, .summary)
        default: return nil
        }
    }
    private mutating func exact(_ type: ScrapedType) {
        switch type {
        case .counter: (kind, isMonotonic) = (.sum, true)
        case .info, .stateset: kind = .sum
        case .summary: (part, kind) = (.quantile, .summary)
        case .gaugeHistogram: part = .nothing
        case .unknown, .gauge, .histogram: break
        }
    }
    private mutating func suffixed(_ suffix: String, _ type: ScrapedType, _ isOpen: Bool) -> Bool {
        switch (suffix, type) {
        // The name of a counter is that of its samples.
        case ("_total", .counter): (kind, isMonotonic) = (.sum, true)
        case ("_info", .info): kind = .sum
        case ("_created", .counter) where isOpen:
            (part, kind, isMonotonic, self.suffix) = (.created, .sum, true, suffix)
        case ("_created", .histogram) where isOpen: (part, kind, self.suffix) = (.created, .histogram, suffix)
        case ("_created", .summary) where isOpen: (part, kind, self.suffix) = (.created, .summary, suffix)
        case ("_bucket", .histogram): (part, kind, self.suffix) = (.bucket, .histogram, suffix)
        case ("_sum", .histogram): (part, kind, self.suffix) = (.sum, .histogram, suffix)
        case ("_count", .histogram): (part, kind, self.suffix) = (.count, .histogram, suffix)
        case ("_sum", .summary): (part, kind, self.suffix) = (.sum, .summary, suffix)
        case ("_count", .summary): (part, kind, self.suffix) = (.count, .summary, suffix)
        case ("_bucket", .gaugeHistogram), ("_gsum", .gaugeHistogram), ("_gcount", .gaugeHistogram):
            part = .nothing
        default: return false
        }
        return true
    }

    /// The metric's name, for a sample that may have been renamed; a part of a histogram or summary that lost its suffix
    /// is an ordinary gauge.
    mutating func metricName(of sample: String) -> String {
        guard !suffix.isEmpty else { return sample }
        guard sample.hasSuffix(suffix), sample.utf8.count > suffix.utf8.count else {
            (part, kind, isMonotonic, suffix) = (.number, .gauge, false, "")
            return sample
        }
        let name = String(sample.dropLast(suffix.count))
        return part == .created && kind == .sum ? name + "_total" : name
    }
    /// The name of the label that tells this part from its like; nil where there is none.
    var boundLabel: String? {
        switch part {
        case .bucket: "le"
        case .quantile: "quantile"
        default: nil
        }
    }
}
