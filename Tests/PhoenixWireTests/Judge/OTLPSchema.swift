/// The messages of an export request, as far as scrambling needs to know.
enum OTLPSchema {
    typealias Schema = Scrambler.Schema

    static let request = Schema.message([1: resourceMetrics])
    private static let resourceMetrics = Schema.message([1: resource, 2: scopeMetrics])
    private static let resource = Schema.message([1: keyValue, 3: .message([:])])
    private static let scopeMetrics = Schema.message([1: scope, 2: metric])
    private static let scope = Schema.message([3: keyValue])
    private static let metric = Schema.message([
        5: .message([1: number]), 7: .message([1: number]), 9: .message([1: histogram]),
        10: .message([1: exponential]), 11: .message([1: summary]), 12: keyValue,
    ])
    private static let number = Schema.message([5: exemplar, 7: keyValue])
    private static let histogram = Schema.message([
        6: .packedFixed, 7: .packedFixed, 8: exemplar, 9: keyValue,
    ])
    private static let side = Schema.message([2: .packedVarint])
    private static let exponential = Schema.message([1: keyValue, 8: side, 9: side, 11: exemplar])
    private static let summary = Schema.message([6: .message([:]), 7: keyValue])
    private static let exemplar = Schema.message([7: keyValue])
    private static let keyValue = Schema.message([2: value(levels: 4)])
    private static func value(levels: Int) -> Schema {
        if levels == 0 { return .message([:]) }
        let inner = value(levels: levels - 1)
        return .message([5: .message([1: inner]), 6: .message([1: .message([2: inner])])])
    }
}
