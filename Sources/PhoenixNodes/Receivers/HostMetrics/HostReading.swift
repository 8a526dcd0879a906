import PhoenixModel

/// One value that was read: of which metric and what of it.
struct HostReading: Sendable {
    enum Value: Sendable, Equatable {
        case integer(Int64)
        case double(Double)
    }
    var instrument: HostInstrument
    var attributes: [Attribute]
    var value: Value

    /// A whole number; one that fits no `Int64`, which no kernel counts to, becomes a double.
    init(_ instrument: HostInstrument, _ value: UInt64, _ attributes: [Attribute] = []) {
        (self.instrument, self.attributes) = (instrument, attributes)
        self.value = Int64(exactly: value).map { .integer($0) } ?? .double(Double(value))
    }
    init(_ instrument: HostInstrument, _ value: Double, _ attributes: [Attribute] = []) {
        (self.instrument, self.attributes, self.value) = (instrument, attributes, .double(value))
    }
}

extension HostReading.Value {
    var bits: UInt64 {
        switch self {
        case .integer(let value): UInt64(bitPattern: value)
        case .double(let value): value.bitPattern
        }
    }
    var flags: PointFlags {
        if case .integer = self { .isInteger } else { [] }
    }
    /// How far it lies below another; 0 where it does not.
    func fall(from other: Self) -> Double {
        switch (self, other) {
        case (.integer(let now), .integer(let before)): now < before ? Double(before) - Double(now) : 0
        default: max(0, other.number - number)
        }
    }
    private var number: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        }
    }
}
