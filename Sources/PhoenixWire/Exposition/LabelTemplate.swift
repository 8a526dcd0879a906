import PhoenixModel

/// How the labels of sets with the same keys are written: fixed text, and between it the values as they lie in the set.
///
/// A rendered block is two and a half times as long as the set that it was made of, and there is one for each entity and
/// endpoint. With a template only the set is kept, which is there anyway. Whether a template is right for a set is not
/// argued but tried: `LabelBlocks` renders by it once and compares.
struct LabelTemplate {
    /// A stretch of fixed text and the value behind it, by its place in the set; `noValue` at the end.
    struct Piece: BitwiseCopyable {
        var start: UInt32
        var count: UInt32
        var value: Int32
        static let noValue: Int32 = -1
    }
    /// More attributes than this are rendered once and kept.
    static let maximumValues = 64

    // Allocated once and never written again; whoever owns the template calls `free`.
    private let text: UnsafeMutablePointer<UInt8>
    private let pieces: UnsafeMutablePointer<Piece>
    private let pieceCount: Int
    /// How many values are walked over.
    private let valueCount: Int
    /// The length of the fixed text, and of the longest numbers.
    let fixedCount: Int

    /// The keys and types of a set whose values can be written as they lie there; nil for any other.
    static func shape(of set: AttributeSet) -> [UInt32]? {
        guard let start = set.encodedBytes.baseAddress, set.count <= maximumValues else { return nil }
        var walk = EncodedWalk(start)
        var shape: [UInt32] = []
        for _ in 0..<set.count {
            let (symbol, value) = walk.next()
            guard symbol != 0, value.kind != .other else { return nil }
            shape.append(symbol << 1 | (value.kind == .integer ? 1 : 0))
        }
        return shape
    }

    /// Labels in their order, each value taken from the attribute that `source` names, or fixed where it names none.
    init(_ labels: [ExposedLabel], valueCount: Int, source: (ExposedLabel) -> Int?) {
        var (bytes, pieces): ([UInt8], [Piece]) = ([], [])
        var start = 0
        func end(_ value: Int32) {
            pieces.append(Piece(start: UInt32(start), count: UInt32(bytes.count - start), value: value))
            start = bytes.count
        }
        for (index, label) in labels.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            guard let source = source(label) else {
                label.write(to: &bytes)
                continue
            }
            label.writeName(to: &bytes)
            bytes += [UInt8(ascii: "="), UInt8(ascii: "\"")]
            end(Int32(source))
            bytes.append(UInt8(ascii: "\""))
        }
        end(Piece.noValue)
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + ExpositionPage.slack)
        text.initialize(repeating: 0, count: bytes.count + ExpositionPage.slack)
        for (index, byte) in bytes.enumerated() { text[index] = byte }
        let list = UnsafeMutablePointer<Piece>.allocate(capacity: pieces.count)
        for (index, piece) in pieces.enumerated() { (list + index).initialize(to: piece) }
        (self.text, self.pieces) = (text, list)
        (pieceCount, self.valueCount) = (pieces.count, valueCount)
        fixedCount = bytes.count + 20 * pieces.count + ExpositionPage.slack
    }
    func free() {
        text.deallocate()
        pieces.deallocate()
    }

    /// Writes the labels of a set, given by its encoded bytes; `scratch` has room for `maximumValues`.
    @inline(__always)
    func write(
        _ set: UnsafeRawPointer,
        to page: inout ExpositionPage,
        _ scratch: UnsafeMutablePointer<EncodedValue>
    ) {
        var walk = EncodedWalk(set)
        for index in 0..<valueCount { scratch[index] = walk.next().value }
        for index in 0..<pieceCount {
            let piece = pieces[index]
            page.write(padded: text + Int(piece.start), Int(piece.count))
            guard piece.value >= 0 else { continue }
            let value = scratch[Int(piece.value)]
            if value.kind == .text {
                page.write(short: value.start, value.count)
            } else {
                page.write(integer: value.integer)
            }
        }
    }
}

/// The templates of an endpoint, by what they are for. Bounded: senders choose the keys.
struct LabelTemplates {
    private struct Use: Hashable {
        var shape: [UInt32]
        var scope: UInt32
        var reserved: LabelPlan.Reserved
    }
    private static let maximum = 4096
    private var places: [Use: UInt32] = [:]
    private(set) var templates = ContiguousArray<LabelTemplate>()

    /// The template for the labels of a resource's set, made of them where there is none yet; nil where there can be
    /// none.
    mutating func place(
        for set: AttributeSet,
        _ key: LabelBlocks.Key,
        _ labels: [ExposedLabel]
    ) -> UInt32? {
        guard let shape = LabelTemplate.shape(of: set) else { return nil }
        let use = Use(shape: shape, scope: key.scope, reserved: key.reserved)
        if let place = places[use] { return place }
        guard templates.count < Self.maximum else { return nil }
        let attributes = set.attributes.map { ($0.key, LabelName.sanitized($0.key), $0.value.text) }
        let sources = ["job": "service.name", "instance": "service.instance.id"]
        let template = LabelTemplate(labels, valueCount: attributes.count) { label in
            attributes.firstIndex { key, name, text in
                text == label.value
                    && (name == label.name || key == label.written || key == label.name || sources[label.name] == key)
            }
        }
        templates.append(template)
        places[use] = UInt32(templates.count - 1)
        return UInt32(templates.count - 1)
    }
    func free() { for template in templates { template.free() } }
}
