/// A running sum of integers and doubles: integers exactly, doubles with a compensation term.
///
/// Each addition is of a *difference* of two values, given exactly as a leading and a trailing part, so that the
/// increments of one input telescope to its last value less its first. The result is within 2 ulp of the sum of the
/// magnitudes (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen").
struct ExactSum: BitwiseCopyable, Sendable {
    private var integers: Int128 = 0
    private var doubles: Double = 0
    private var compensation: Double = 0
    /// Whether a double ever joined: then the sum is shown as one.
    private(set) var isDouble = false

    @inline(__always)
    mutating func add(_ integer: Int64) { integers += Int128(integer) }
    @inline(__always)
    mutating func add(integerDifference new: Int64, _ old: Int64) { integers += Int128(new) - Int128(old) }
    @inline(__always)
    mutating func add(_ value: Double) {
        isDouble = true
        let sum = doubles + value
        if doubles.magnitude >= value.magnitude {
            compensation += (doubles - sum) + value
        } else {
            compensation += (value - sum) + doubles
        }
        doubles = sum
    }
    /// Adds `new - old` with the rounding error of the difference.
    @inline(__always)
    mutating func add(difference new: Double, _ old: Double) {
        let difference = new - old
        let virtual = new - difference
        add(difference)
        compensation += (virtual - old) + (new - (difference + virtual))
    }

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
        if integers == 0 { return doubles.isFinite ? doubles + compensation : doubles }
        let whole = Double(integers)
        let rest = Double(integers - Int128(whole))
        let sum = whole + doubles
        let error = whole.magnitude >= doubles.magnitude ? (whole - sum) + doubles : (doubles - sum) + whole
        let total = sum + (error + rest + compensation)
        // An infinity has no compensation.
        return total.isNaN ? whole + doubles : total
    }
}
