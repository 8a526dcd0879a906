/// Numbers as JSON writes them, in the text or between quotes.
enum JSONNumeral {
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Where the number that begins at `start` ends; nil where none does.
    static func end(of bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        func digits() -> Int? {
            let first = position
            while position < bytes.count, isDigit(bytes[position]) { position += 1 }
            return position == first ? nil : position
        }
        func takes(_ accepted: UInt8...) -> Bool {
            guard position < bytes.count, accepted.contains(bytes[position]) else { return false }
            position += 1
            return true
        }
        _ = takes(UInt8(ascii: "-"))
        if !takes(UInt8(ascii: "0")), digits() == nil { return nil }
        if takes(UInt8(ascii: ".")), digits() == nil { return nil }
        if takes(UInt8(ascii: "e"), UInt8(ascii: "E")) {
            _ = takes(UInt8(ascii: "+"), UInt8(ascii: "-"))
            if digits() == nil { return nil }
        }
        return position
    }

    /// The whole number that the text writes, in whatever form: `12`, `12.0` and `1.2e1` are one. Nil for any other
    /// text and for a number beyond 64 bits.
    static func integer(_ text: UnsafeRawBufferPointer) -> (isNegative: Bool, magnitude: UInt64)? {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = text.dropFirst(isNegative ? 1 : 0)
        if (1...19).contains(digits.count), digits.allSatisfy(isDigit),
            digits.count == 1 || digits.first != 0x30
        {
            return (isNegative, digits.reduce(0) { $0 * 10 + UInt64($1 & 15) })
        }
        guard end(of: text, from: 0) == text.count else { return nil }
        return magnitude(digits).map { (isNegative, $0) }
    }
    /// Of a number without sign: its digits, with the decimal point moved by the exponent.
    private static func magnitude(_ text: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var digits: [UInt8] = []
        var point: Int?
        var (exponent, isExponentNegative, isInExponent) = (0, false, false)
        for byte in text {
            switch byte {
            case UInt8(ascii: "."): point = digits.count
            case UInt8(ascii: "e"), UInt8(ascii: "E"): isInExponent = true
            case UInt8(ascii: "-"): isExponentNegative = true
            case UInt8(ascii: "+"): break
            case let digit where isInExponent: exponent = min(exponent * 10 + Int(digit & 15), 1 << 40)
            case let digit: digits.append(digit & 15)
            }
        }
        guard let first = digits.firstIndex(where: { $0 != 0 }) else { return 0 }
        let whole = (point ?? digits.count) + (isExponentNegative ? -exponent : exponent)
        // Twenty digits are the most that fit; what lies after the point must be zeros.
        guard whole > first, whole - first <= 20, digits.dropFirst(whole).allSatisfy({ $0 == 0 }) else {
            return nil
        }
        var value: UInt64 = 0
        for index in first..<whole {
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(
                index < digits.count ? UInt64(digits[index]) : 0
            )
            if tooLarge || overflow { return nil }
            value = sum
        }
        return value
    }

    /// The double nearest to the number that the text writes; nil for any other text and beyond the largest.
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        if text.count < 16, let (isNegative, magnitude) = integer(text) {
            return isNegative ? -Double(magnitude) : Double(magnitude)
        }
        guard end(of: text, from: 0) == text.count,
            let number = Double(String(decoding: text, as: UTF8.self)),
            number.isFinite
        else { return nil }
        return number
    }
}
