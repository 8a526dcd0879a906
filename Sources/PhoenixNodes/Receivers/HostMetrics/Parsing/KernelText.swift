/// The text of a file that the kernel wrote, or a part of it: bytes, since the names in it need not be UTF-8.
struct KernelText: Sendable, Hashable {
    var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }
    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }
    init(_ text: String) { bytes = Array(text.utf8)[...] }

    var isEmpty: Bool { bytes.isEmpty }
    /// What is no UTF-8 becomes U+FFFD.
    var string: String { String(decoding: bytes, as: UTF8.self) }
    /// The lines that are not empty.
    var lines: [KernelText] { bytes.split(separator: UInt8(ascii: "\n")).map(Self.init) }
    /// What stands between spaces and tabs.
    var words: [KernelText] { bytes.split { $0 == 0x20 || $0 == 0x09 }.map(Self.init) }

    /// A decimal number of digits alone; nil for anything else, and for one that does not fit.
    var number: UInt64? {
        guard !bytes.isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in bytes {
            guard case 0x30...0x39 = byte else { return nil }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(UInt64(byte - 0x30))
            guard !isTooLarge, !overflows else { return nil }
            number = sum
        }
        return number
    }
    func hasPrefix(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes.starts(with: $0) }
    }
    /// What comes after a beginning; nil where it begins otherwise.
    func after(_ text: StaticString) -> KernelText? {
        hasPrefix(text) ? KernelText(bytes.dropFirst(text.utf8CodeUnitCount)) : nil
    }

    /// The values of lines such as `Name:  12 kB`, in bytes where the unit is written; the first of a name counts.
    var namedNumbers: [String: UInt64] {
        var values: [String: UInt64] = [:]
        for line in lines {
            let words = line.words
            guard words.count >= 2, let value = words[1].number else { continue }
            var name = words[0].bytes
            if name.last == UInt8(ascii: ":") { name.removeLast() }
            let key = String(decoding: name, as: UTF8.self)
            guard values[key] == nil else { continue }
            let isKibibytes = words.count > 2 && words[2] == KernelText("kB")
            let (scaled, overflows) = value.multipliedReportingOverflow(by: isKibibytes ? 1024 : 1)
            if !overflows { values[key] = scaled }
        }
        return values
    }
}
