/// A number of a metric that grows.
public struct Measure: Sendable, Hashable, Comparable {
    /// Which number of a point: `value` of sums; `count` and `sum` of histograms and summaries.
    public enum Part: String, Sendable, Hashable, Comparable, CaseIterable {
        case value, count, sum
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }
    public var metric: String
    public var part: Part
    public init(_ metric: String, _ part: Part = .value) { (self.metric, self.part) = (metric, part) }
    public static func < (left: Self, right: Self) -> Bool {
        (left.metric, left.part) < (right.metric, right.part)
    }
}

/// What something grew by: exact for integers, and to about 106 bits for doubles.
public struct Increase: BitwiseCopyable, Sendable {
    var sum = ExactSum()
    /// The largest total that a part of it was taken of: as a double it was rounded there.
    var largest = 0.0
    public init() {}
    public var double: Double { sum.double }
    public var isZero: Bool { sum.isZero }
    public mutating func add(_ other: Self) {
        sum.add(other.sum)
        largest = max(largest, other.largest)
    }
    /// How far apart two increases are; 0 where rounding can tell them apart, and rounding alone.
    ///
    /// Integers are told apart to the last one. Doubles are rounded where they are sent, each total at both ends of what
    /// it grew by: so much as 4 ulp of the totals, or a part in 10^9 where they have a longer past than we know, is
    /// no difference.
    public func distance(to other: Self) -> Double {
        var difference = sum
        difference.subtract(other.sum)
        let distance = abs(difference.double)
        guard difference.isDouble else { return distance }
        let rounding = max(4 * max(largest, other.largest).ulp, 1e-9 * max(abs(double), abs(other.double)))
        return distance <= rounding ? 0 : distance
    }
}

extension ExactSum {
    /// Adds what a total grew by from one of its points to a later one.
    mutating func add(from old: NumberPoint, to new: NumberPoint) {
        switch (old.isInteger, new.isInteger) {
        case (true, true): add(integerDifference: new.integer, old.integer)
        case (false, false): add(difference: new.double, old.double)
        case (true, false):
            add(new.double)
            add(integerDifference: 0, old.integer)
        case (false, true):
            add(-old.double)
            add(new.integer)
        }
    }
}
