import Glibc

/// Header or trailer fields in order of arrival.
///
/// All names and values lie in one array and turn into strings only when somebody asks, so that a head costs two
/// allocations whatever the number of its fields. Names are kept in lower case; look them up in lower case.
public struct HTTPFields: Sendable, ExpressibleByDictionaryLiteral {
    private struct Mark: Sendable {
        var start: UInt32
        var nameEnd: UInt32
        var end: UInt32
    }
    private var bytes: [UInt8] = []
    private var marks: [Mark] = []

    /// No fields.
    public init() {}

    /// Fields written down in code.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }

    /// How many fields there are; a name that came twice counts twice.
    public var count: Int { marks.count }

    /// What HTTP/2 counts against a header list limit: names, values and 32 bytes each (RFC 9113, 6.5.2).
    var listSize: Int { bytes.count + 32 * marks.count }

    /// The name and value at `index`.
    public subscript(index index: Int) -> (name: String, value: String) {
        let mark = marks[index]
        return (
            String(decoding: bytes[Int(mark.start)..<Int(mark.nameEnd)], as: UTF8.self),
            String(decoding: bytes[Int(mark.nameEnd)..<Int(mark.end)], as: UTF8.self)
        )
    }

    /// The first value under a name in lower case.
    public subscript(name: String) -> String? {
        for mark in marks where matches(mark, name) { return value(mark) }
        return nil
    }

    /// All values under a name in lower case.
    public func values(_ name: String) -> [String] {
        marks.filter { matches($0, name) }.map(value)
    }

    /// How often a name in lower case occurs.
    public func occurrences(_ name: String) -> Int {
        var found = 0
        for mark in marks where matches(mark, name) { found += 1 }
        return found
    }

    /// All values under a name joined as one list, as RFC 9110 (5.3) allows; nil if there is none.
    public func list(_ name: String) -> String? {
        let all = values(name)
        return all.isEmpty ? nil : all.joined(separator: ", ")
    }

    /// Whether a comma-separated list field holds a token, in any case.
    public func contains(_ name: String, token: String) -> Bool {
        for mark in marks where matches(mark, name) {
            let wanted = Array(token.utf8)
            let items = bytes[Int(mark.nameEnd)..<Int(mark.end)].split(separator: UInt8(ascii: ","))
            for item in items where ASCII.trimmed(item).elementsEqual(wanted, by: ASCII.equalIgnoringCase) {
                return true
            }
        }
        return false
    }

    /// Adds a field; its name is turned to lower case.
    public mutating func append(_ name: String, _ value: String) {
        var name = name
        var value = value
        name.withUTF8 { name in
            value.withUTF8 { append(name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer($0)) }
        }
    }

    /// Adds a field unless one of that name is there.
    public mutating func appendIfAbsent(_ name: String, _ value: @autoclosure () -> String) {
        for mark in marks where matches(mark, name) { return }
        append(name, value())
    }

    mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if marks.isEmpty {
            bytes.reserveCapacity(480)
            marks.reserveCapacity(12)
        }
        let start = bytes.count
        let nameEnd = start + name.count
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
        bytes.withUnsafeMutableBufferPointer { bytes in
            for index in start..<nameEnd { bytes[index] = ASCII.lowercased(bytes[index]) }
        }
        marks.append(
            Mark(
                start: UInt32(start),
                nameEnd: UInt32(nameEnd),
                end: UInt32(start + name.count + value.count)
            )
        )
    }

    /// Calls `body` with the bytes of each field; the pointers hold for that call only.
    func forEachBytes(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        withAllBytes(body, then: {})
    }

    /// Calls `body` with the bytes of each field, then `then`, all while the pointers hold.
    func withAllBytes(
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void,
        then: () -> Void
    ) {
        bytes.withUnsafeBytes { all in
            for mark in marks {
                body(
                    UnsafeRawBufferPointer(rebasing: all[Int(mark.start)..<Int(mark.nameEnd)]),
                    UnsafeRawBufferPointer(rebasing: all[Int(mark.nameEnd)..<Int(mark.end)])
                )
            }
            then()
        }
    }

    private func value(_ mark: Mark) -> String {
        String(decoding: bytes[Int(mark.nameEnd)..<Int(mark.end)], as: UTF8.self)
    }

    /// Whether the first value under a name is `text` byte for byte.
    func has(_ name: StaticString, _ text: StaticString) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            for mark in marks where Int(mark.nameEnd - mark.start) == name.utf8CodeUnitCount {
                guard
                    memcmp(bytes.baseAddress! + Int(mark.start), name.utf8Start, name.utf8CodeUnitCount) == 0
                else {
                    continue
                }
                return Int(mark.end - mark.nameEnd) == text.utf8CodeUnitCount
                    && memcmp(bytes.baseAddress! + Int(mark.nameEnd), text.utf8Start, text.utf8CodeUnitCount)
                        == 0
            }
            return false
        }
    }

    private func matches(_ mark: Mark, _ name: String) -> Bool {
        let utf8 = name.utf8
        guard Int(mark.nameEnd - mark.start) == utf8.count else { return false }
        let isSame = utf8.withContiguousStorageIfAvailable { name in
            bytes.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress, let wanted = name.baseAddress else { return name.isEmpty }
                return memcmp(base + Int(mark.start), wanted, name.count) == 0
            }
        }
        return isSame ?? bytes[Int(mark.start)..<Int(mark.nameEnd)].elementsEqual(utf8)
    }
}

/// What the HTTP grammar asks of single bytes.
enum ASCII {
    @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 65 < 26 ? byte | 0x20 : byte
    }
    @inline(__always) static func equalIgnoringCase(_ a: UInt8, _ b: UInt8) -> Bool {
        lowercased(a) == lowercased(b)
    }
    /// `tchar` of RFC 9110, 5.6.2, as two words of bits.
    @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
        // ! # $ % & ' * + - . and the digits; then ^ _ ` | ~ and the letters
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        if byte < 64 { return (low >> UInt64(byte)) & 1 == 1 }
        return byte < 128 && (high >> UInt64(byte & 63)) & 1 == 1
    }
    static func trimmed<Bytes: BidirectionalCollection>(_ bytes: Bytes) -> Bytes.SubSequence
    where Bytes.Element == UInt8 {
        var slice = bytes[...]
        while let first = slice.first, first == 0x20 || first == 0x09 { slice = slice.dropFirst() }
        while let last = slice.last, last == 0x20 || last == 0x09 { slice = slice.dropLast() }
        return slice
    }
}
