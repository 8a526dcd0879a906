import PhoenixModel

/// How the labels of resources with the same keys are written: fixed text, and between it the values as they lie in the set.
///
/// A rendered block is two and a half times as long as the set that it was made of, and there is one for each entity and
/// endpoint. With a template only the set is kept, which is there anyway, and a resource that is seen for the first time
/// costs no text. It holds for every set of its keys and types in which no value is empty: the names come of the keys
/// alone, and so does which of two candidates wins.
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

    /// Text and the pieces of it. Allocated once and never written again; whoever owns the template calls `free`.
    private struct Pieces {
        let text: UnsafeMutablePointer<UInt8>
        let list: UnsafeMutablePointer<Piece>
        let count: Int
        /// The length of the text, and of the longest numbers.
        let room: Int

        init(_ bytes: [UInt8], _ pieces: [Piece]) {
            text = .allocate(capacity: bytes.count + ExpositionPage.slack)
            text.initialize(repeating: 0, count: bytes.count + ExpositionPage.slack)
            for (index, byte) in bytes.enumerated() { text[index] = byte }
            list = .allocate(capacity: pieces.count)
            for (index, piece) in pieces.enumerated() { (list + index).initialize(to: piece) }
            count = pieces.count
            room = bytes.count + 20 * pieces.count + ExpositionPage.slack
        }
        @inline(__always)
        func write(_ index: Int, to page: inout ExpositionPage, _ values: UnsafeMutablePointer<EncodedValue>)
        {
            let piece = list[index]
            page.write(padded: text + Int(piece.start), Int(piece.count))
            guard piece.value >= 0 else { return }
            let value = values[Int(piece.value)]
            if value.kind == .text {
                page.write(short: value.start, value.count)
            } else {
                page.write(integer: value.integer)
            }
        }
        func free() {
            text.deallocate()
            list.deallocate()
        }
    }
    /// The labels side by side.
    private let written: Pieces
    /// Those with a value out of the set, each ending with a piece of no value: what they are told apart by, so in the
    /// legacy alphabet.
    private let plain: Pieces
    /// The sum of the hashes of the labels that every set of these keys has.
    private let fixedHash: UInt64
    /// How many values are walked over.
    private let valueCount: Int
    /// Which label names there are, as `LabelBlocks` numbers them.
    let shape: UInt32
    /// Whether it writes nothing at all.
    let isEmpty: Bool
    /// The length of the fixed text, and of the longest numbers.
    var fixedCount: Int { written.room }

    /// The template for these labels of a set of `valueCount` attributes; nil where one was joined of several.
    init?(_ labels: [LabelPlan.Candidate], shape: UInt32, valueCount: Int) {
        var (written, plain) = (PieceText(), PieceText())
        var fixedHash: UInt64 = 0
        for (index, label) in labels.enumerated() {
            guard let sources = label.sources else { return nil }
            if index > 0 { written.bytes.append(UInt8(ascii: ",")) }
            guard !sources.isEmpty else {
                label.label.write(to: &written.bytes)
                fixedHash &+= label.label.hash
                continue
            }
            label.label.writeName(to: &written.bytes)
            ExposedLabel(label.name, "").writeName(to: &plain.bytes)
            written.bytes += Array("=\"".utf8)
            plain.bytes += Array("=\"".utf8)
            for (index, source) in sources.enumerated() {
                if index > 0 {
                    written.bytes.append(UInt8(ascii: "/"))
                    plain.bytes.append(UInt8(ascii: "/"))
                }
                written.end(Int32(source))
                plain.end(Int32(source))
            }
            written.bytes.append(UInt8(ascii: "\""))
            plain.bytes.append(UInt8(ascii: "\""))
            plain.end(Piece.noValue)
        }
        written.end(Piece.noValue)
        self.written = Pieces(written.bytes, written.pieces)
        self.plain = Pieces(plain.bytes, plain.pieces)
        (self.fixedHash, self.valueCount, self.shape) = (fixedHash, valueCount, shape)
        isEmpty = labels.isEmpty
    }
    private struct PieceText {
        var bytes: [UInt8] = []
        private(set) var pieces: [Piece] = []
        private var start = 0
        mutating func end(_ value: Int32) {
            pieces.append(Piece(start: UInt32(start), count: UInt32(bytes.count - start), value: value))
            start = bytes.count
        }
    }
    func free() {
        written.free()
        plain.free()
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
        for index in 0..<written.count { written.write(index, to: &page, scratch) }
    }

    /// The sum of the labels' hashes, given the values of a set; nil where one of the values would have to be escaped.
    func hash(
        of values: UnsafeMutablePointer<EncodedValue>,
        _ byteCount: Int,
        _ page: inout ExpositionPage
    ) -> UInt64? {
        var hash = fixedHash
        page.count = 0
        page.grow(for: plain.room + byteCount)
        for index in 0..<plain.count {
            let piece = plain.list[index]
            if piece.value >= 0, values[Int(piece.value)].needsEscaping { return nil }
            plain.write(index, to: &page, values)
            guard piece.value < 0 else { continue }
            hash &+= foldHash(page.bytes, seed: processSeed)
            page.count = 0
        }
        return hash
    }
}

extension EncodedValue {
    fileprivate var needsEscaping: Bool {
        guard kind == .text else { return false }
        return UnsafeRawBufferPointer(start: start, count: count).contains {
            $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\n")
        }
    }
}

/// The templates of an endpoint, by what they are for. Bounded: senders choose the keys.
struct LabelTemplates {
    private struct Use: Hashable {
        /// The keys, and the types of their values.
        var shape: [UInt32] = []
        var scope: UInt32 = 0
        var reserved = LabelPlan.Reserved.none
    }
    private static let maximum = 4096
    private var places: [Use: UInt32] = [:]
    private(set) var templates = ContiguousArray<LabelTemplate>()
    /// The use that was read last.
    private var use = Use()
    private let values = UnsafeMutablePointer<EncodedValue>.allocate(capacity: LabelTemplate.maximumValues)

    /// Reads what a template is found by, and the values; false for a set that none can write.
    private mutating func read(_ set: AttributeSet, _ key: LabelBlocks.Key) -> Bool {
        guard let start = set.encodedBytes.baseAddress, set.count <= LabelTemplate.maximumValues else {
            return false
        }
        (use.scope, use.reserved) = (key.scope, key.reserved)
        use.shape.removeAll(keepingCapacity: true)
        var walk = EncodedWalk(start)
        for index in 0..<set.count {
            let (symbol, value) = walk.next()
            // An empty value is no label, and an empty namespace is none.
            guard symbol != 0, value.kind == .integer || value.kind == .text && value.count > 0 else {
                return false
            }
            use.shape.append(symbol << 1 | (value.kind == .integer ? 1 : 0))
            values[index] = value
        }
        return true
    }
    /// The template that writes the labels of a resource, and the sum of their hashes; nil where none is known.
    mutating func find(
        for set: AttributeSet,
        _ key: LabelBlocks.Key,
        _ page: inout ExpositionPage
    ) -> (place: UInt32, hash: UInt64)? {
        guard read(set, key), let place = places[use],
            let hash = templates[Int(place)].hash(of: values, set.encodedBytes.count, &page)
        else { return nil }
        return (place, hash)
    }
    /// Keeps how the labels of a resource are written, for all that have its keys; false where that cannot be said.
    mutating func learn(
        _ set: AttributeSet,
        _ key: LabelBlocks.Key,
        _ labels: [LabelPlan.Candidate],
        shape: UInt32
    ) -> Bool {
        guard templates.count < Self.maximum, read(set, key), places[use] == nil,
            let template = LabelTemplate(labels, shape: shape, valueCount: set.count)
        else { return false }
        places[use] = UInt32(templates.count)
        templates.append(template)
        return true
    }
    func free() {
        for template in templates { template.free() }
        values.deallocate()
    }
}
