import PhoenixModel

/// What the live inputs of one output say together: their sum, their mean, or what one of them says.
struct CollisionLevel {
    /// No slot is that.
    static let nobody = UInt32.max
    private let rule: GaugeMerge
    /// How many inputs are live, and the first in their list.
    var count = 0
    var first = nobody
    /// Who is shown where they are not added up.
    private(set) var shown = nobody
    /// Whether what is to be shown can be told only by looking at every input.
    private(set) var isOpen = false
    private var sum = LevelSum()

    init(_ rule: GaugeMerge) { self.rule = rule }

    var addsUp: Bool { rule == .sum || rule == .avg }
    /// What they say where they are added up.
    var number: Number { rule == .avg ? Number(sum.double / Double(max(1, count))) : sum.number }

    mutating func beginAnew() { (sum, shown, isOpen) = (LevelSum(), Self.nobody, false) }
    mutating func take(_ input: CollisionMerge.Input, _ slot: UInt32, beside shown: CollisionMerge.Input?) {
        guard !addsUp else { return sum.add(input.number) }
        if shown.map({ isBefore(input, $0) }) ?? true { self.shown = slot }
    }
    mutating func drop(_ input: CollisionMerge.Input, _ slot: UInt32) {
        if addsUp {
            sum.subtract(input.number)
            isOpen = isOpen || sum.hasOverflowed
        } else if shown == slot {
            (shown, isOpen) = (Self.nobody, true)
        }
    }
    mutating func replace(
        _ old: CollisionMerge.Input,
        with new: CollisionMerge.Input,
        _ slot: UInt32,
        beside shown: CollisionMerge.Input?
    ) {
        if addsUp {
            drop(old, slot)
            sum.add(new.number)
        } else if self.shown == slot {
            isOpen = isOpen || !isBefore(new, old)
        } else {
            take(new, slot, beside: shown)
        }
    }
    /// Whether an input is to be shown before another, by the rule.
    private func isBefore(_ new: CollisionMerge.Input, _ shown: CollisionMerge.Input) -> Bool {
        if rule == .last { return new.time >= shown.time }
        // Whatever is a number is shown before what is none.
        if shown.number.double.isNaN { return !new.number.double.isNaN }
        return rule == .min ? new.number < shown.number : shown.number < new.number
    }
}

/// A sum of numbers that come and go: integers exactly, doubles with what rounding took from them. Infinities and what is no
/// number are counted beside it, for they would never leave it.
struct LevelSum {
    private var integers: Int128 = 0
    private var doubles = 0.0
    private var error = 0.0
    /// How many doubles there are, and of which kinds those are that are not finite.
    private var doubleCount = 0
    private var positive = 0
    private var negative = 0
    private var none = 0

    mutating func add(_ number: Number) {
        if number.isInteger { integers += Int128(number.integer) } else { change(number.double, by: 1) }
    }
    mutating func subtract(_ number: Number) {
        if number.isInteger { integers -= Int128(number.integer) } else { change(number.double, by: -1) }
    }
    private mutating func change(_ value: Double, by step: Int) {
        doubleCount += step
        if value.isNaN {
            none += step
        } else if value.isInfinite {
            if value > 0 { positive += step } else { negative += step }
        } else {
            addExactly(step > 0 ? value : -value)
        }
        if doubleCount == 0 { (doubles, error) = (0, 0) }
    }
    /// Neumaier's sum, kept normal.
    private mutating func addExactly(_ value: Double) {
        let sum = doubles + value
        guard sum.isFinite else {
            (doubles, error) = (sum, 0)
            return
        }
        let lost = abs(doubles) >= abs(value) ? (doubles - sum) + value : (value - sum) + doubles
        let trailing = error + lost
        doubles = sum + trailing
        error = trailing - (doubles - sum)
    }
    /// The finite ones came to more than a double can hold: it stays so when they leave.
    var hasOverflowed: Bool { !doubles.isFinite || !error.isFinite }

    /// An integer as long as it can be one.
    var number: Number {
        if doubleCount == 0, let integer = Int64(exactly: integers) { return Number(integer) }
        return Number(double)
    }
    var double: Double {
        if none > 0 || (positive > 0 && negative > 0) { return .nan }
        if positive > 0 { return .infinity }
        if negative > 0 { return -.infinity }
        guard !hasOverflowed else { return doubles }
        // Most sums are of one kind only; the conversion of 128 bits is slow.
        return (integers == 0 ? 0 : Double(integers)) + error + doubles
    }
}
