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
    /// The stream's place, and which of its tenants is meant.
    var stream: Int32 = -1
    var tenant: UInt32 = 0
    /// The family that it was read with, as it was then; -1 for none.
    var family: Int32 = -1
    var signature: UInt32 = 0
    /// Of a line without a family: how many families there had been.
    var additions: UInt32 = 0
    /// The bound of a bucket, or the quantile.
    var bound = 0.0
}

/// What a sample's name makes it, by the family that it belongs to.
struct SampleForm {
    var part = SampleMeaning.Part.number
    var kind = PointKind.gauge
    var isMonotonic = false
    /// What the sample's name has behind the metric's.
    var suffix = ""
    var family: Int32 = -1

    /// The names of the families that a sample of this name may belong to.
    static func families(of name: String) -> [Substring.UTF8View] {
        [name[...].utf8]
            + suffixes.filter { name.hasSuffix($0) }.map { name.dropLast($0.utf8.count).utf8 }
    }
    /// The form of a sample of this name; without a family that fits it is a gauge.
    init(of name: String, in families: ScrapedFamilies, isOpen: Bool, isNative: Bool = false) {
        let bytes = Array(name.utf8)
        if isNative {
            family = families.declared(bytes) ?? -1
            (part, kind) = (.native, .exponentialHistogram)
            if family >= 0, families[family].type == .gaugeHistogram { part = .nothing }
            return
        }
        if !isOpen, name.hasSuffix("_created"), isStart(of: bytes.dropLast(8), in: families) { return }
        if let family = families.declared(bytes) {
            self.family = family
            exact(families[family].type)
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
    /// Clients write the start of a stream as a gauge in the text format, which knows no such thing: beside a family that
    /// begins with the same name it is that family's, as in OpenMetrics, where the two names would clash.
    private mutating func isStart(of base: ArraySlice<UInt8>, in families: ScrapedFamilies) -> Bool {
        if let family = families.declared(base + Array("_total".utf8)), families[family].type == .counter {
            (self.family, part, kind, isMonotonic, suffix) = (family, .created, .sum, true, "_created")
            return true
        }
        guard let family = families.declared(base) else { return false }
        switch families[family].type {
        case .histogram: kind = .histogram
        case .summary: kind = .summary
        default: return false
        }
        (self.family, part, suffix) = (family, .created, "_created")
        return true
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
