/// Counts that lie in somebody's memory, to be read as long as they do: those of a point in its batch, or in a row.
///
/// Every access is within the run. The memory is its owner's: a run is used inside the call that it was made for.
struct CountRun: BitwiseCopyable {
    fileprivate let base: UnsafePointer<UInt64>
    let count: Int

    fileprivate init(base: UnsafePointer<UInt64>, count: Int) { (self.base, self.count) = (base, count) }
    static var empty: CountRun { CountRun(base: emptyBase, count: 0) }
    /// Never read; not null, so that the common case is not optional.
    private static var emptyBase: UnsafePointer<UInt64> { UnsafePointer(bitPattern: 8).unsafelyUnwrapped }

    /// A part of a column.
    @inline(__always)
    init(_ column: UnsafeBufferPointer<UInt64>, _ start: Int, _ count: Int) {
        guard count > 0, let base = column.baseAddress else {
            self = .empty
            return
        }
        precondition(start >= 0 && count <= column.count && start <= column.count - count)
        self.init(base: base + start, count: count)
    }
    @inline(__always)
    subscript(index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return base[index]
    }
    @inline(__always)
    func dropFirst(_ left: Int, keeping count: Int) -> CountRun {
        precondition(left >= 0 && count >= 0 && left <= self.count - count)
        return CountRun(base: base + left, count: count)
    }
    var array: [UInt64] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Whether one of these counts is above that of `newer` which stands `place` places on.
    @inline(__always)
    func isAbove(_ newer: CountRun, at place: Int = 0) -> Bool {
        precondition(place >= 0 && place <= newer.count - count)
        let others = newer.base + place
        // Below 2^63 a difference has its highest bit where it is below zero: so the common case is one pass without a
        // way out, over as many counts at a time as the machine takes.
        var bits: UInt64 = 0
        for index in 0..<count { bits |= (others[index] &- base[index]) | others[index] | base[index] }
        return bits >> 63 == 1 && hasOneAbove(others)
    }
    @inline(never)
    private func hasOneAbove(_ others: UnsafePointer<UInt64>) -> Bool {
        (0..<count).contains { base[$0] > others[$0] }
    }
    /// The first and the last place with a count.
    var bounds: (low: Int, high: Int)? {
        guard let low = (0..<count).first(where: { base[$0] > 0 }),
            let high = (0..<count).last(where: { base[$0] > 0 })
        else { return nil }
        return (low, high)
    }
}

/// Counts in a row, to be changed: sums that go beyond 2^64 begin again at 0, as their senders' do.
struct CountSpace: BitwiseCopyable {
    private let base: UnsafeMutablePointer<UInt64>
    let count: Int

    init(base: UnsafeMutablePointer<UInt64>, count: Int) { (self.base, self.count) = (base, count) }
    @inline(__always)
    var run: CountRun { CountRun(base: UnsafePointer(base), count: count) }

    @inline(__always)
    subscript(index: Int) -> UInt64 {
        get {
            precondition(index >= 0 && index < count)
            return base[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count)
            base[index] = newValue
        }
    }
    @inline(__always)
    func set(_ run: CountRun, at place: Int = 0) {
        precondition(place >= 0 && place <= count - run.count)
        (base + place).update(from: run.base, count: run.count)
    }
    func clear() { base.update(repeating: 0, count: count) }

    @inline(__always)
    func add(_ run: CountRun, at place: Int = 0) {
        precondition(place >= 0 && place <= count - run.count)
        let own = base + place
        for index in 0..<run.count { own[index] &+= run.base[index] }
    }
    /// Adds what each count grew by, from a place on; false, and nothing, where one fell.
    @inline(__always)
    func add(from old: CountRun, to new: CountRun, at place: Int = 0) -> Bool {
        precondition(old.count == new.count && place >= 0 && place <= count - new.count)
        let own = base + place
        // See `isAbove`: that none fell is nearly always so, and what was added otherwise is taken off again.
        var bits: UInt64 = 0
        for index in 0..<new.count {
            let (before, after) = (old.base[index], new.base[index])
            own[index] &+= after &- before
            bits |= (after &- before) | after | before
        }
        return bits >> 63 == 0 || stands(from: old, to: new, at: own)
    }
    @inline(never)
    private func stands(from old: CountRun, to new: CountRun, at own: UnsafeMutablePointer<UInt64>) -> Bool {
        guard old.isAbove(new) else { return true }
        for index in 0..<new.count { own[index] &-= new.base[index] &- old.base[index] }
        return false
    }
    @inline(__always)
    func subtract(_ run: CountRun, at place: Int) {
        precondition(place >= 0 && place <= count - run.count)
        let own = base + place
        for index in 0..<run.count { own[index] &-= run.base[index] }
    }
    /// Adds each count at the place that its own, `first` and on, has in buckets merged in pairs so many times, less
    /// `origin`.
    @inline(__always)
    func add(_ run: CountRun, first: Int, halved times: Int, origin: Int) {
        if run.count == 0 { return }
        if times == 0 { return add(run, at: first - origin) }
        check(run, first, times, origin)
        for index in 0..<run.count { base[((first &+ index) >> times) &- origin] &+= run.base[index] }
    }
    /// Takes each count off again that `add` put there.
    @inline(__always)
    func subtract(_ run: CountRun, first: Int, halved times: Int, origin: Int) {
        if run.count == 0 { return }
        if times == 0 { return subtract(run, at: first - origin) }
        check(run, first, times, origin)
        for index in 0..<run.count { base[((first &+ index) >> times) &- origin] &-= run.base[index] }
    }
    private func check(_ run: CountRun, _ first: Int, _ times: Int, _ origin: Int) {
        precondition(first >> times >= origin && (first + run.count - 1) >> times < origin + count)
    }
}

extension [UInt64] {
    @inline(__always)
    mutating func append(_ run: CountRun) {
        append(contentsOf: UnsafeBufferPointer(start: run.base, count: run.count))
    }
    func withRun<Result>(_ body: (CountRun) throws -> Result) rethrows -> Result {
        try withUnsafeBufferPointer { try body(CountRun($0, 0, $0.count)) }
    }
}
