/// Numbers as text, fast: written straight into a buffer with room for `maximumLength` bytes.
///
/// Doubles are the shortest text that reads back as the same value, in the manner of Go's `%g` (`1e+06`, `0.0001`),
/// since that is what Prometheus' own libraries send. Three paths: whole numbers, short decimals, and the rest by way of
/// Swift's `description`.
enum NumberText {
    static let maximumLength = 40
    typealias Place = UnsafeMutablePointer<UInt8>

    @inline(__always)
    static func write(_ number: UInt64, to place: Place) -> Int {
        if number < 10 {
            place[0] = UInt8(truncatingIfNeeded: number) &+ 48
            return 1
        }
        let count = digitCount(number)
        var (rest, index) = (number, count)
        while rest >= 10 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            index -= 1
            place[index] = UInt8(truncatingIfNeeded: digit) &+ 48
            rest = quotient
        }
        place[0] = UInt8(truncatingIfNeeded: rest) &+ 48
        return count
    }
    @inline(__always)
    static func write(_ number: Int64, to place: Place) -> Int {
        if number >= 0 { return write(UInt64(number), to: place) }
        place[0] = UInt8(ascii: "-")
        return 1 + write(number.magnitude, to: place + 1)
    }

    /// Writes a double; with `needsPoint` a whole number gets `.0`, as OpenMetrics wants of floats.
    static func write(_ number: Double, needsPoint: Bool, to place: Place) -> Int {
        guard number.isFinite else {
            return text(number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf", to: place)
        }
        if number.sign == .minus {
            place[0] = UInt8(ascii: "-")
            return 1 + write(magnitude: -number, needsPoint: needsPoint, to: place + 1)
        }
        return write(magnitude: number, needsPoint: needsPoint, to: place)
    }

    private static func write(magnitude number: Double, needsPoint: Bool, to place: Place) -> Int {
        if number < 1e15 {
            let whole = UInt64(number)
            if Double(whole) == number {
                if whole >= 1_000_000 { return write(digits: whole, exponent: 0, to: place) }
                let count = write(whole, to: place)
                guard needsPoint else { return count }
                (place[count], place[count + 1]) = (UInt8(ascii: "."), 48)
                return count + 2
            }
            if number >= 1e-4, number < 1e6 {
                // At most 15 significant digits that read back as the same double are the shortest such text.
                var (scale, places) = (10.0, 1)
                while places <= 9 {
                    let scaled = (number * scale).rounded()
                    if scaled < 1e15, scaled / scale == number {
                        return write(decimal: UInt64(scaled), places: places, to: place)
                    }
                    scale *= 10
                    places += 1
                }
            }
        }
        return write(description: number, to: place)
    }

    /// Writes `digits / 10^places`, both positive, the last digit not zero.
    private static func write(decimal digits: UInt64, places: Int, to place: Place) -> Int {
        var count = digitCount(digits)
        // Digits before the point, at least the zero.
        let whole = max(count - places, 1)
        var (rest, index) = (digits, whole + places)
        for _ in 0..<places {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            place[index] = UInt8(truncatingIfNeeded: digit) &+ 48
            index -= 1
            rest = quotient
        }
        place[index] = UInt8(ascii: ".")
        count = write(rest, to: place)
        return whole + 1 + places
    }

    /// Writes `digits * 10^exponent` as `d.ddde±xx`.
    private static func write(digits: UInt64, exponent: Int, to place: Place) -> Int {
        var (rest, dropped) = (digits, 0)
        while rest != 0, rest % 10 == 0 {
            rest /= 10
            dropped += 1
        }
        // One place further right, so that the first digit can go before the point.
        let count = write(rest, to: place + 1)
        let power = exponent + dropped + count - 1
        place[0] = place[1]
        var length = 1
        if count > 1 {
            place[1] = UInt8(ascii: ".")
            length = count + 1
        }
        place[length] = UInt8(ascii: "e")
        place[length + 1] = UInt8(ascii: power < 0 ? "-" : "+")
        length += 2
        if power.magnitude < 10 {
            place[length] = 48
            length += 1
        }
        return length + write(UInt64(power.magnitude), to: place + length)
    }

    /// The general path: takes digits and exponent out of Swift's shortest description.
    private static func write(description number: Double, to place: Place) -> Int {
        var (digits, exponent, isFraction): (UInt64, Int, Bool) = (0, 0, false)
        var text = number.description
        text.withUTF8 { utf8 in
            var index = 0
            while index < utf8.count {
                let byte = utf8[index]
                if byte.isDigit {
                    digits = digits &* 10 &+ UInt64(byte - 48)
                    if isFraction { exponent -= 1 }
                } else if byte == UInt8(ascii: ".") {
                    isFraction = true
                } else {
                    var (power, isNegative) = (0, false)
                    for sign in utf8[(index + 1)...] {
                        if sign.isDigit { power = power * 10 + Int(sign - 48) }
                        if sign == UInt8(ascii: "-") { isNegative = true }
                    }
                    exponent += isNegative ? -power : power
                    index = utf8.count
                }
                index += 1
            }
        }
        while digits % 10 == 0, digits != 0 {
            digits /= 10
            exponent += 1
        }
        let power = exponent + digitCount(digits) - 1
        if power < -4 || power >= 6 { return write(digits: digits, exponent: exponent, to: place) }
        // Between 1e-4 and 1e6, whole numbers went another way: there is a fraction.
        return write(decimal: digits, places: -exponent, to: place)
    }

    private static func text(_ text: StaticString, to place: Place) -> Int {
        place.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        return text.utf8CodeUnitCount
    }
    @inline(__always)
    private static func digitCount(_ number: UInt64) -> Int {
        var (count, limit): (Int, UInt64) = (1, 10)
        while number >= limit {
            count += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { return count }
            limit = next
        }
        return count
    }

    /// A double as a string, for labels.
    static func string(_ number: Double, needsPoint: Bool) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: maximumLength) { buffer in
            let count = write(number, needsPoint: needsPoint, to: buffer.baseAddress!)
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
