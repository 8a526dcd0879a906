import Synchronization

/// A number that only grows; adding is one atomic operation.
public final class Counter: Sendable {
    private let number = Atomic(0)
    public init() {}
    public func add(_ amount: Int = 1) { number.wrappingAdd(amount, ordering: .relaxed) }
    public var value: Int { number.load(ordering: .relaxed) }
}

/// A number that goes up and down; setting is one atomic operation.
public final class Gauge: Sendable {
    private let bits = Atomic(UInt64(0))
    public init() {}
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}
