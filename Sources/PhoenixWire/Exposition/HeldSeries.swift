/// What is held of one series: 40 bytes, in pages by the series' slot.
struct HeldSeries: BitwiseCopyable, Sendable {
    /// The bits of a number, or the place of a point of another kind.
    var value: UInt64 = 0
    /// The time of the newest point, in nanoseconds since 1970.
    var time: UInt64 = 0
    /// Of the series id; 0 where the slot holds nothing.
    var generation: UInt32 = 0
    /// When the newest point came, in ticks of the store's clock.
    var seen: UInt32 = 0
    /// The label set; of an input of a merged series, which one that is.
    var entity: UInt32 = 0
    /// The place in the family's list of members.
    var position: UInt32 = .max
    /// The next in the chain of the index.
    var next: UInt32 = ChainIndex.end
    /// The metric's plan in the upper 24 bits, the treatment and three flags in the lower.
    private var packed: UInt32 = 0

    /// What a point of the series means to what is held.
    enum Treatment: UInt32 {
        /// Replaces the value.
        case replace
        /// Adds to the value.
        case add
        /// Replaces or adds to a point of several numbers.
        case compound
        /// Goes into a series that several share.
        case input
        /// Is counted and dropped.
        case refused
    }
    static let maximumPlans = 1 << 24
    init() {}
    init(
        generation: UInt32,
        entity: UInt32,
        plan: UInt32,
        treatment: Treatment,
        addsWindows: Bool = false
    ) {
        (self.generation, self.entity) = (generation, entity)
        packed = plan << 8 | treatment.rawValue << 1 | (addsWindows ? 0x20 : 0)
    }
    var plan: UInt32 { packed >> 8 }
    @inline(__always)
    var treatment: Treatment { Treatment(rawValue: packed >> 1 & 7).unsafelyUnwrapped }
    @inline(__always)
    var isReplaced: Bool { packed & 0x1e == 0 }
    /// A point of several numbers takes the place of what is held, and nothing else is to be looked at.
    @inline(__always)
    var isReplacedCompound: Bool { packed & 0x3e == Treatment.compound.rawValue << 1 }
    /// What is held is of the process before, and nothing has come yet that goes on from it.
    var isRestored: Bool {
        get { packed & 0x10 != 0 }
        set { packed = packed & ~0x10 | (newValue ? 0x10 : 0) }
    }
    @inline(__always)
    var isInteger: Bool {
        get { packed & 1 != 0 }
        set { packed = packed & ~1 | (newValue ? 1 : 0) }
    }
    var number: Number {
        get { Number(bits: value, isInteger: isInteger) }
        set { (value, isInteger) = (newValue.bits, newValue.isInteger) }
    }
}

/// A number as points carry it: integers stay exact until one joins a double or overflows.
struct Number: Sendable, Equatable {
    var bits: UInt64
    var isInteger: Bool
    init(bits: UInt64, isInteger: Bool) { (self.bits, self.isInteger) = (bits, isInteger) }
    init(_ integer: Int64) { self.init(bits: UInt64(bitPattern: integer), isInteger: true) }
    init(_ double: Double) { self.init(bits: double.bitPattern, isInteger: false) }
    var integer: Int64 { Int64(bitPattern: bits) }
    var double: Double { isInteger ? Double(integer) : Double(bitPattern: bits) }
    static let zero = Number(Int64(0))

    static func + (left: Self, right: Self) -> Self {
        if left.isInteger, right.isInteger {
            let (sum, overflow) = left.integer.addingReportingOverflow(right.integer)
            if !overflow { return Number(sum) }
        }
        return Number(left.double + right.double)
    }
    static func - (left: Self, right: Self) -> Self {
        if left.isInteger, right.isInteger {
            let (difference, overflow) = left.integer.subtractingReportingOverflow(right.integer)
            if !overflow { return Number(difference) }
        }
        return Number(left.double - right.double)
    }
    static func < (left: Self, right: Self) -> Bool {
        left.isInteger && right.isInteger ? left.integer < right.integer : left.double < right.double
    }
}
