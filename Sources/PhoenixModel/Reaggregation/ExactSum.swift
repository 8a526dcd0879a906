/// A running sum of integers and doubles: integers exactly, doubles in about 106 bits.
///
/// Each addition is of a *difference* of two values, given exactly as a leading and a trailing part, so that the
/// increments of one input telescope to its last value less its first. The doubles are an unevaluated sum of two,
/// renormalised with each addition, so that rounding does not grow with the number of points: the result is within 2 ulp
/// of the sum of the magnitudes (Dekker 1971, "A floating-point technique for extending the available precision";
/// Knuth, TAOCP 4.2.2, theorem B). Adds finite numbers only.
struct ExactSum: BitwiseCopyable, Sendable {
    var integers: Int128 = 0
    var doubles: Double = 0
    var rest: Double = 0
    /// Whether a double ever joined: then the sum is shown as one.
    var isDouble = false

    @inline(__always)
    mutating func add(_ integer: Int64) { integers += Int128(integer) }
    @inline(__always)
    mutating func add(integerDifference new: Int64, _ old: Int64) { integers += Int128(new) - Int128(old) }
    @inline(__always)
    mutating func add(_ value: Double) { add(value, 0) }
    /// Adds `new - old` with the rounding error of the difference.
    @inline(__always)
    mutating func add(difference new: Double, _ old: Double) {
        let difference = new - old
        let virtual = new - difference
        add(difference, (virtual - old) + (new - (difference + virtual)))
    }
    @inline(__always)
    private mutating func add(_ value: Double, _ error: Double) {
        isDouble = true
        let sum = doubles + value
        let virtual = sum - doubles
        let lost = (doubles - (sum - virtual)) + (value - virtual)
        let trailing = rest + lost + error
        let leading = sum + trailing
        (doubles, rest) = (leading, trailing - (leading - sum))
    }
    /// Adds a whole value.
    @inline(__always)
    mutating func add(_ point: NumberPoint) {
        if point.isInteger { add(point.integer) } else { add(Double(bitPattern: point.bits)) }
    }
    /// Adds what a stream grew by from a member's last point to this one.
    @inline(__always)
    mutating func add(from member: Member, to point: NumberPoint) {
        switch (member.state.contains(.isInteger), point.isInteger) {
        case (true, true): add(integerDifference: point.integer, Int64(bitPattern: member.value))
        case (false, false): add(difference: Double(bitPattern: point.bits), Double(bitPattern: member.value))
        // Integers stay exact beyond 2^53 also where the sender changed its mind.
        case (true, false):
            add(Double(bitPattern: point.bits))
            integers -= Int128(Int64(bitPattern: member.value))
        case (false, true):
            add(-Double(bitPattern: member.value))
            integers += Int128(point.integer)
        }
    }
    /// Puts a point in the place of a member's value that is part of the sum; false, and nothing, where one of them is
    /// not finite or they are of unlike kinds.
    @inline(__always)
    mutating func replace(_ member: Member, with point: NumberPoint) -> Bool {
        switch (member.state.contains(.isInteger), point.isInteger) {
        case (true, true): add(integerDifference: point.integer, Int64(bitPattern: member.value))
        case (false, false):
            guard point.isFinite, Double(bitPattern: member.value).isFinite else { return false }
            add(difference: Double(bitPattern: point.bits), Double(bitPattern: member.value))
        default: return false
        }
        return true
    }
    /// Adds another sum, or takes it off.
    mutating func add(_ other: Self) {
        integers += other.integers
        if other.isDouble { add(other.doubles, other.rest) }
    }
    mutating func subtract(_ other: Self) {
        integers -= other.integers
        if other.isDouble { add(-other.doubles, -other.rest) }
    }
    /// Adds nothing, but becomes a double if a double joins.
    @inline(__always)
    mutating func join(isInteger: Bool) { if !isInteger { isDouble = true } }
    /// No double is part of the sum any more: neither is what rounding left of them.
    mutating func removeDoubles() { (doubles, rest, isDouble) = (0, 0, false) }

    /// The value bits and whether they are an integer; a sum of integers beyond `Int64` is shown as a double.
    @inline(__always)
    var result: (bits: UInt64, isInteger: Bool) {
        if !isDouble {
            let low = Int64(truncatingIfNeeded: integers)
            if Int128(low) == integers { return (UInt64(bitPattern: low), true) }
        }
        return (double.bitPattern, false)
    }
    var double: Double {
        // Most sums are of one kind only; the conversion of 128 bits is slow.
        guard integers != 0 else { return doubles + rest }
        let whole = Double(integers)
        let left = Double(integers - Int128(whole))
        let sum = whole + doubles
        let virtual = sum - whole
        let lost = (whole - (sum - virtual)) + (doubles - virtual)
        return sum + (lost + left + rest)
    }
    var isZero: Bool { integers == 0 && doubles == 0 && rest == 0 }
}
