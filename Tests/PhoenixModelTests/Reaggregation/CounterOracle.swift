/// What counters must come to, by the rules as they are written and in arithmetic without rounding: full labels in
/// dictionaries, every number a whole multiple of 2^-40.
struct CounterOracle {
    struct Point {
        var name: Int
        var time: UInt64
        var start: UInt64
        /// In units of 2^-40.
        var value: Int128
        var isDouble = false
    }
    private struct Input {
        var destination: Int?
        var last: Point?
        var seen: UInt64
    }
    static let second: UInt64 = 1_000_000_000
    private var inputs: [Int: Input] = [:]
    private(set) var horizon: UInt64
    private var sweptAt: UInt64
    let memorySeconds: UInt64
    /// What each output's increases must add up to, and the sum of their magnitudes.
    private(set) var totals: [Int: Int128] = [:]
    private(set) var resets: UInt64 = 0
    private(set) var late: UInt64 = 0

    init(watchingSince now: UInt64, memorySeconds: UInt64) {
        (horizon, sweptAt, self.memorySeconds) = (now, now / Self.second, memorySeconds)
    }

    mutating func beginBatch(now: UInt64) {
        if now / Self.second - sweptAt > 30 { sweep(now: now) }
    }
    mutating func sweep(now: UInt64) {
        sweptAt = now / Self.second
        for name in inputs.keys { forgetUnseen(name, now: now) }
    }
    private mutating func forgetUnseen(_ name: Int, now: UInt64) {
        guard let input = inputs[name], now / Self.second - input.seen > memorySeconds else { return }
        inputs[name] = nil
        guard let last = input.last else { return }
        // A sender that is ahead of us is no later than the second in which we saw it.
        horizon = max(horizon, min(last.time, (input.seen + 1) * Self.second - 1))
    }
    mutating func remap(_ resolve: (Int) -> Int?) {
        for name in inputs.keys { inputs[name]!.destination = resolve(name) }
    }

    mutating func apply(_ point: Point, now: UInt64, _ resolve: (Int) -> Int?) {
        forgetUnseen(point.name, now: now)
        var input = inputs[point.name] ?? Input(destination: resolve(point.name), last: nil, seen: 0)
        input.seen = now / Self.second
        defer { inputs[point.name] = input }
        var increase: Int128 = 0
        if let last = input.last {
            guard point.time > last.time else {
                if input.destination != nil { late += 1 }
                return
            }
            let isNewStart = point.start > last.start && point.start >= last.time && point.start < point.time
            if isNewStart || point.value < last.value {
                increase = point.value
                if input.destination != nil { resets += 1 }
            } else {
                increase = point.value - last.value
            }
        } else if point.start != 0, point.start < point.time {
            let ahead = point.time > now ? point.time - now : 0
            if point.start - min(ahead, point.start) > horizon { increase = point.value }
        }
        input.last = point
        if let destination = input.destination { totals[destination, default: 0] += increase }
    }
}

/// Adds up what came out as any reader would: one writer to a series, its first value counted from its start.
struct EmissionLedger {
    private struct Shown {
        var time: UInt64
        var start: UInt64
        var value: Int128
    }
    private var shown: [Int: Shown] = [:]
    private(set) var totals: [Int: Int128] = [:]
    private(set) var complaints: [String] = []
    /// How far a value may be from exact, of each output: 2 ulp of all that it ever grew by.
    func tolerance(of name: Int) -> Int128 {
        let ulp = (Double(totals[name] ?? 0) / 0x1p40).ulp * 0x1p40
        return Int128(2 * max(1, ulp))
    }

    /// A value in units of 2^-40, rounded to one.
    static func units(_ value: Double) -> Int128 { Int128((value * 0x1p40).rounded()) }

    mutating func note(_ name: Int, time: UInt64, start: UInt64, value: Int128) {
        guard let last = shown[name] else {
            if value != 0, start >= time {
                complaints.append("\(name) begins at \(start), its first time is \(time)")
            }
            totals[name, default: 0] += value
            shown[name] = Shown(time: time, start: start, value: value)
            return
        }
        if time <= last.time { complaints.append("\(name) shows \(time) after \(last.time)") }
        if start != last.start, start < last.time {
            complaints.append("\(name) moved its start from \(last.start) to \(start)")
        }
        if start == last.start, value < last.value {
            complaints.append("\(name) fell from \(last.value) to \(value)")
        }
        totals[name, default: 0] += start == last.start ? value - last.value : value
        shown[name] = Shown(time: time, start: start, value: value)
    }
}
