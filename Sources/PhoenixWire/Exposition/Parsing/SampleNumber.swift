import PhoenixModel

/// Reads the numbers of expositions, as Go's `ParseFloat` and Prometheus do; nil for what is none.
enum SampleNumber {
    /// A decimal number while it is taken apart: `mantissa * 10^exponent`.
    private struct Decimal {
        var mantissa: UInt64 = 0
        var exponent = 0
        var isNegative = false
        /// Whether it was written with digits alone.
        var isWhole = true
        /// Whether the mantissa holds every digit.
        var isComplete = true
    }

    /// A sample's value. Whole numbers beyond 2^53 stay integers, so that they stay exact; all others are doubles.
    @inline(__always)
    static func value(_ text: UnsafeBufferPointer<UInt8>) -> Number? {
        guard let decimal = decimal(text) else { return special(text).map { Number($0) } }
        if decimal.isWhole, decimal.isComplete, decimal.mantissa > 1 << 53,
            decimal.mantissa <= UInt64(Int64.max)
        {
            let magnitude = Int64(decimal.mantissa)
            return Number(decimal.isNegative ? -magnitude : magnitude)
        }
        return double(decimal, text).map { Number($0) }
    }
    static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let decimal = decimal(text) else { return special(text) }
        return double(decimal, text)
    }
    /// A count of a histogram or summary: a whole number, however it is written; nil for another.
    static func count(_ number: Number) -> UInt64? {
        if number.isInteger { return UInt64(exactly: number.integer) }
        return UInt64(exactly: number.double)
    }

    /// Whether a text is a timestamp, and which in nanoseconds since 1970; `time` is nil before 1970 or beyond 2554.
    static func time(_ text: UnsafeBufferPointer<UInt8>, inSeconds: Bool) -> (isNumber: Bool, time: UInt64?) {
        guard let decimal = decimal(text), decimal.isWhole || inSeconds else { return (false, nil) }
        guard !decimal.isNegative || decimal.mantissa == 0 else { return (true, nil) }
        let shift = (inSeconds ? 9 : 6) + decimal.exponent
        guard decimal.isComplete else { return (true, nil) }
        var time = decimal.mantissa
        if shift < 0 {
            guard shift > -20 else { return (true, 0) }
            for _ in 0 ..< -shift { time /= 10 }
        } else {
            guard shift < 20 || time == 0 else { return (true, nil) }
            for _ in 0..<min(shift, 20) {
                let (product, overflow) = time.multipliedReportingOverflow(by: 10)
                guard !overflow else { return (true, nil) }
                time = product
            }
        }
        return (true, time)
    }

    @inline(__always)
    private static func decimal(_ text: UnsafeBufferPointer<UInt8>) -> Decimal? {
        var (result, index, digits) = (Decimal(), 0, 0)
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            result.isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        var isFraction = false
        while index < text.count {
            let byte = text[index]
            if byte.isDigit {
                digits += 1
                // 19 digits always fit; what is left out is a matter of the slow path.
                if result.mantissa < 1_000_000_000_000_000_000 {
                    result.mantissa = result.mantissa &* 10 &+ UInt64(byte &- 48)
                    if isFraction { result.exponent -= 1 }
                } else {
                    if !isFraction { result.exponent += 1 }
                    if byte != 48 { result.isComplete = false }
                }
            } else if byte == UInt8(ascii: "."), !isFraction {
                (isFraction, result.isWhole) = (true, false)
            } else {
                guard byte | 0x20 == UInt8(ascii: "e"), digits > 0 else { return nil }
                guard let power = power(text, from: index + 1) else { return nil }
                result.exponent += power
                result.isWhole = false
                return result
            }
            index += 1
        }
        if result.exponent > 0 { result.isComplete = false }
        return digits > 0 ? result : nil
    }
    private static func power(_ text: UnsafeBufferPointer<UInt8>, from first: Int) -> Int? {
        var (index, power, isNegative) = (first, 0, false)
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        guard index < text.count else { return nil }
        while index < text.count {
            guard text[index].isDigit else { return nil }
            power = min(power * 10 + Int(text[index] - 48), 100_000)
            index += 1
        }
        return isNegative ? -power : power
    }

    private static let powers: [Double] = (0...22).map { exponent in
        (0..<exponent).reduce(1.0) { product, _ in product * 10 }
    }
    /// Exact where mantissa and power of ten both are doubles (Clinger 1990); else the library's way.
    @inline(__always)
    private static func double(_ decimal: Decimal, _ text: UnsafeBufferPointer<UInt8>) -> Double? {
        if decimal.isComplete, decimal.mantissa <= 1 << 53, (-22...22).contains(decimal.exponent) {
            var value = Double(decimal.mantissa)
            if decimal.exponent > 0 { value *= powers[decimal.exponent] }
            if decimal.exponent < 0 { value /= powers[-decimal.exponent] }
            return decimal.isNegative ? -value : value
        }
        return slow(text)
    }
    @inline(never)
    private static func slow(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        var written = String(decoding: text, as: UTF8.self)
        if written.hasPrefix("+") { written.removeFirst() }
        // Beyond the range of a double Go reports an error, and so do we.
        guard let value = Double(written), value.isFinite else { return nil }
        return value
    }
    @inline(never)
    private static func special(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        switch String(decoding: text, as: UTF8.self).lowercased() {
        case "nan": .nan
        case "inf", "+inf", "infinity", "+infinity": .infinity
        case "-inf", "-infinity": -.infinity
        default: nil
        }
    }
}
