import PhoenixModel

/// A sum that stays exact: whole numbers in 128 bits, doubles with what rounding took away.
struct Amount: Sendable, Equatable {
    private(set) var whole: Int128 = 0
    private(set) var real = 0.0
    private var rest = 0.0
    private(set) var hasReal = false

    init() {}
    /// The value of a point.
    init(bits: UInt64, _ flags: PointFlags) {
        if flags.contains(.isInteger) {
            whole = Int128(Int64(bitPattern: bits))
        } else {
            (real, hasReal) = (Double(bitPattern: bits), true)
        }
    }

    static func += (left: inout Self, right: Self) {
        left.whole += right.whole
        left.hasReal = left.hasReal || right.hasReal
        left.add(right.real)
        left.add(right.rest)
    }
    static func - (left: Self, right: Self) -> Self {
        var negative = right
        (negative.whole, negative.real, negative.rest) = (-right.whole, -right.real, -right.rest)
        var result = left
        result += negative
        return result
    }
    /// Neumaier's sum: what rounding takes away is kept beside.
    private mutating func add(_ term: Double) {
        let sum = real + term
        guard sum.isFinite else {
            (real, rest) = (sum, 0)
            return
        }
        rest += abs(real) >= abs(term) ? (real - sum) + term : (term - sum) + real
        real = sum
    }

    var value: Double { Double(whole) + (real + rest) }

    /// The sum as a point's value: an integer as long as every part is one and it fits.
    var bits: (bits: UInt64, flags: PointFlags) {
        if !hasReal, let number = Int64(exactly: whole) { return (UInt64(bitPattern: number), .isInteger) }
        return (value.bitPattern, [])
    }
}
