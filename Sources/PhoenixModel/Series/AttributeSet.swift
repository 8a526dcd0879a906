/// A set of attributes: unordered, keys unique and case-sensitive; half of the identity of a series.
///
/// Held encoded, since there are as many as there are entities: sorted by key, in one allocation beside the object. Equal
/// sets of one series table are the same object. Sendable because it never changes after `init`.
public final class AttributeSet: Sendable {
    /// The canonical bytes: equal sets have equal bytes, in every series table of the process.
    let encoded: EncodedAttributes
    let hash: UInt64
    /// The place in the series table; `UInt32.max` in a set that belongs to none.
    public let slot: UInt32

    /// A set that belongs to no table; of several values for one key the last counts.
    public init(_ attributes: [Attribute]) {
        let canonical = Self.canonical(attributes)
        var writer = AttributeWriter()
        for attribute in canonical { writer.write(attribute) }
        encoded = EncodedAttributes(writer.bytes, count: canonical.count)
        hash = foldHash(encoded.bytes, seed: processSeed)
        slot = .max
    }
    /// The same set, in a place of a series table.
    init(_ set: AttributeSet, slot: UInt32) {
        encoded = EncodedAttributes(copying: set.encoded)
        (hash, self.slot) = (set.hash, slot)
    }

    /// A hash of the contents: equal for equal sets, in this process.
    public var fingerprint: UInt64 { hash }

    /// The set without attributes.
    public static let empty = AttributeSet([])
    /// How many attributes there are.
    public var count: Int { encoded.count }
    public var isEmpty: Bool { count == 0 }

    /// The attributes in the order of their keys' bytes. Decodes: for plans and labels, never for every point.
    public var attributes: [Attribute] {
        var reader = AttributeReader(encoded.bytes)
        return (0..<count).map { _ in reader.readAttribute() }
    }
    public subscript(key: String) -> AttributeValue? { attributes.first { $0.key == key }?.value }

    /// The canonical bytes, for an `EncodedWalk`; valid as long as the set.
    public var encodedBytes: UnsafeRawBufferPointer { encoded.bytes }

    /// Whether the set stands before another one: some order, the same as long as the process lives.
    public func precedes(_ other: AttributeSet) -> Bool {
        encoded.bytes.lexicographicallyPrecedes(other.encoded.bytes)
    }

    /// What the set holds in memory, in bytes.
    var byteCount: Int { encoded.byteCount + 80 }

    /// Sorted by the bytes of the keys; of several values for one key the last counts.
    static func canonical(_ attributes: [Attribute]) -> [Attribute] {
        func precedes(_ left: String, _ right: String) -> Bool {
            left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        var isSorted = true
        for index in attributes.indices.dropFirst() {
            if !precedes(attributes[index - 1].key, attributes[index].key) { isSorted = false }
        }
        if isSorted { return attributes }
        var last: [[UInt8]: Int] = [:]
        for (index, attribute) in attributes.enumerated() { last[Array(attribute.key.utf8)] = index }
        return last.values.map { attributes[$0] }.sorted { precedes($0.key, $1.key) }
    }
}

extension AttributeSet: Hashable {
    public static func == (left: AttributeSet, right: AttributeSet) -> Bool {
        left === right || (left.hash == right.hash && left.encoded.isEqual(to: right.encoded))
    }
    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

/// Writes attributes in the canonical form: each a key symbol, a type and the value, lengths as LEB128.
struct AttributeWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ attribute: Attribute) {
        let symbol = KeySymbols.shared.symbol(of: attribute.key)
        write(UInt64(symbol))
        if symbol == 0 { write(text: attribute.key) }
        write(attribute.value)
    }
    private mutating func write(_ value: AttributeValue) {
        switch value {
        case .empty: bytes.append(0)
        case .string(let text):
            bytes.append(1)
            write(text: text)
        case .bool(let flag): bytes.append(flag ? 3 : 2)
        case .int(let number):
            bytes.append(4)
            write(UInt64(bitPattern: number << 1 ^ number >> 63))
        case .double(let bits):
            bytes.append(5)
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        case .bytes(let content):
            bytes.append(6)
            write(UInt64(content.count))
            bytes += content
        case .array(let values):
            bytes.append(7)
            write(UInt64(values.count))
            for value in values { write(value) }
        case .map(let entries):
            bytes.append(8)
            let canonical = AttributeSet.canonical(entries)
            write(UInt64(canonical.count))
            for entry in canonical { write(entry) }
        }
    }
    private mutating func write(text: String) {
        var text = text
        text.withUTF8 { utf8 in
            write(UInt64(utf8.count))
            bytes += utf8
        }
    }
    private mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Reads what `AttributeWriter` wrote; never anything else, hence without errors.
struct AttributeReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// The bytes must outlive the reader.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func readAttribute() -> Attribute {
        let symbol = UInt32(readNumber())
        let key = symbol == 0 ? readText() : KeySymbols.shared.key(symbol)
        return Attribute(key, readValue())
    }
    private mutating func readValue() -> AttributeValue {
        position += 1
        switch bytes[position - 1] {
        case 1: return .string(readText())
        case 2: return .bool(false)
        case 3: return .bool(true)
        case 4:
            let zigzag = readNumber()
            return .int(Int64(bitPattern: zigzag >> 1 ^ (0 &- (zigzag & 1))))
        case 5:
            var bits: UInt64 = 0
            for index in 0..<8 { bits |= UInt64(bytes[position + index]) << UInt64(8 * index) }
            position += 8
            return .double(bits: bits)
        case 6:
            let count = Int(readNumber())
            position += count
            return .bytes(Array(bytes[position - count..<position]))
        case 7:
            let count = readNumber()
            return .array((0..<count).map { _ in readValue() })
        case 8:
            let count = readNumber()
            return .map((0..<count).map { _ in readAttribute() })
        default: return .empty
        }
    }
    private mutating func readText() -> String {
        let count = Int(readNumber())
        position += count
        return String(decoding: bytes[position - count..<position], as: UTF8.self)
    }
    private mutating func readNumber() -> UInt64 {
        var (number, shift): (UInt64, UInt64) = (0, 0)
        while true {
            let byte = bytes[position]
            position += 1
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
    }
}
