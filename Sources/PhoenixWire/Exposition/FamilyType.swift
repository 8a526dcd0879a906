/// What a family of samples is.
public enum FamilyType: Sendable, Hashable {
    case counter, gauge, histogram, summary
    /// Of OpenMetrics; a gauge in the text format.
    case info
    /// `untyped` in the text format.
    case unknown

    /// Whether a sample is a number and nothing else.
    var isNumber: Bool { self == .counter || isLevel }
    /// Whether the newest value counts, and nothing begins anew.
    var isLevel: Bool { self == .gauge || self == .unknown }
    /// Whether metrics of the other type may stand in a family of this one.
    func admits(_ other: FamilyType) -> Bool { self == other || (isLevel && other.isLevel) }

    func word(_ format: ExpositionFormat) -> StaticString {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .summary: "summary"
        case .info: format == .openMetrics ? "info" : "gauge"
        case .unknown: format == .openMetrics ? "unknown" : "untyped"
        }
    }
    /// What may be put behind a family's name in a sample's; two families may share none of the results.
    var suffixes: [String] {
        switch self {
        case .counter: ["", "_total", "_created"]
        case .gauge, .unknown: [""]
        case .histogram: ["", "_bucket", "_count", "_sum", "_created"]
        case .summary: ["", "_count", "_sum", "_created"]
        case .info: ["", "_info"]
        }
    }
}

/// The comment lines before a family's samples.
struct FamilyHeader {
    var name: ExposedName
    var type: FamilyType
    var help: String

    func bytes(_ format: ExpositionFormat) -> [UInt8] {
        var bytes: [UInt8] = []
        // A counter is one to OpenMetrics only if its samples end in `_total`.
        let isUnknown = format == .openMetrics && type == .counter && name.sample == name.family
        let shown = isUnknown ? FamilyType.unknown : type
        let family = format == .text ? name.sample : name.family
        let written = name.isQuoted ? ExposedName.quoted(family) : Array(family.utf8)
        func comment(_ keyword: String, _ rest: (inout [UInt8]) -> Void) {
            bytes += "# \(keyword) ".utf8 + written + " ".utf8
            rest(&bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        func helpLine() {
            guard !help.isEmpty else { return }
            comment("HELP") { ExposedLabel.write(escaped: help, quotes: format == .openMetrics, to: &$0) }
        }
        if format == .text { helpLine() }
        comment("TYPE") { $0 += shown.word(format).description.utf8 }
        if format == .openMetrics {
            if let unit = name.unit, name.family.hasSuffix("_" + unit) { comment("UNIT") { $0 += unit.utf8 } }
            helpLine()
        }
        return bytes
    }
}
