/// Writes a message again in another way that protobuf allows, knowing its schema: fields in another order, messages in
/// parts, packed fields unpacked, unknown fields and groups between, numbers longer than they need to be.
struct Scrambler {
    /// What the fields of a message hold that need more than copying.
    indirect enum Schema: Sendable {
        case message([UInt64: Schema])
        case text, packedFixed, packedVarint
    }
    var random: Seeded

    mutating func scramble(_ message: [UInt8]) -> [UInt8] {
        scramble(message[...], OTLPSchema.request, depth: 0)
    }

    private mutating func scramble(_ message: ArraySlice<UInt8>, _ schema: Schema, depth: Int) -> [UInt8] {
        guard case .message(let fields) = schema else { return Array(message) }
        var parts: [[UInt8]] = []
        var rest = message
        while !rest.isEmpty {
            guard let (number, wireType, content) = Self.field(&rest) else { return Array(message) }
            parts += rewritten(number, wireType, content, fields[number], depth: depth)
        }
        if random.once(in: 6) { parts.append(unknown()) }
        if random.once(in: 6) { parts.shuffle(using: &random) }
        if random.once(in: 20), let part = parts.randomElement(using: &random) { parts.append(part) }
        return parts.flatMap { $0 }
    }
    private mutating func rewritten(
        _ number: UInt64,
        _ wireType: UInt64,
        _ content: ArraySlice<UInt8>,
        _ schema: Schema?,
        depth: Int
    ) -> [[UInt8]] {
        guard wireType == 2 else { return [tag(number, wireType) + content] }
        switch schema {
        case .message:
            let inner = scramble(content, schema ?? .text, depth: depth + 1)
            if random.once(in: 25), let cut = Self.boundary(inner, &random) {
                return [delimited(number, inner[..<cut]), delimited(number, inner[cut...])]
            }
            return [delimited(number, inner[...])]
        case .packedFixed where random.once(in: 4):
            return stride(from: content.startIndex, to: content.endIndex - 7, by: 8).map {
                tag(number, 1) + content[$0..<$0 + 8]
            }
        case .packedVarint where random.once(in: 4):
            var (rest, parts): (ArraySlice<UInt8>, [[UInt8]]) = (content, [])
            while let value = Self.varint(&rest) { parts.append(tag(number, 0) + varint(value)) }
            return parts
        case .packedFixed where random.once(in: 6) && content.count >= 16:
            let cut = content.startIndex + 8
            return [delimited(number, content[..<cut]), delimited(number, content[cut...])]
        default: return [delimited(number, content)]
        }
    }
    /// A place between two fields.
    private static func boundary(_ message: [UInt8], _ random: inout Seeded) -> Int? {
        var (rest, places) = (message[...], [0])
        while !rest.isEmpty {
            guard field(&rest) != nil else { return nil }
            places.append(rest.startIndex)
        }
        return random.pick(places)
    }
    private mutating func unknown() -> [UInt8] {
        let number = random.pick([100, 15, 19_999, 536_870_911]) as UInt64
        switch random.below(5) {
        case 0: return tag(number, 0) + varint(random.next())
        case 1: return tag(number, 1) + [1, 2, 3, 4, 5, 6, 7, 8]
        case 2: return delimited(number, [0xFF, 0xFE])
        case 3: return tag(number, 5) + [1, 2, 3, 4]
        default: return tag(number, 3) + tag(1, 3) + tag(1, 4) + tag(2, 0) + varint(7) + tag(number, 4)
        }
    }

    // MARK: Reading and writing

    static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while let byte = rest.popFirst(), shift < 64 {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
    /// The next field with its content, without the length.
    static func field(_ rest: inout ArraySlice<UInt8>) -> (UInt64, UInt64, ArraySlice<UInt8>)? {
        let whole = rest
        guard let tag = varint(&rest) else { return nil }
        let start = rest.startIndex
        switch tag & 7 {
        case 0:
            guard varint(&rest) != nil else { return nil }
            return (tag >> 3, 0, whole[start..<rest.startIndex])
        case 1, 5:
            let count = tag & 7 == 1 ? 8 : 4
            guard rest.count >= count else { return nil }
            rest = rest.dropFirst(count)
            return (tag >> 3, tag & 7, whole[start..<rest.startIndex])
        case 2:
            guard let count = varint(&rest), count <= UInt64(rest.count) else { return nil }
            let content = rest.prefix(Int(count))
            rest = rest.dropFirst(Int(count))
            return (tag >> 3, 2, content)
        default: return nil
        }
    }
    private mutating func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        // Longer than it needs to be, up to ten bytes: allowed.
        if random.once(in: 40), bytes.count < 9 {
            bytes[bytes.count - 1] |= 0x80
            bytes.append(contentsOf: random.once(in: 2) ? [0] : [0x80, 0])
        }
        return bytes
    }
    /// Five bytes at most, or swift-protobuf and Google's C++ disagree whether it is one.
    private mutating func tag(_ number: UInt64, _ wireType: UInt64) -> [UInt8] {
        let bytes = varint(number << 3 | wireType)
        return bytes.count > 5 ? tag(number, wireType) : bytes
    }
    private mutating func delimited(_ number: UInt64, _ content: ArraySlice<UInt8>) -> [UInt8] {
        tag(number, 2) + varint(UInt64(content.count)) + content
    }
}
