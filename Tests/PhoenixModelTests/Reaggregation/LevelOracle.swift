/// What sums that may fall must show, by the rules as they are written: the values that live now, added up without rounding.
struct LevelOracle {
    struct Point {
        var name: Int
        var time: UInt64
        /// In units of 2^-10; nil where the stream ends.
        var units: Int128?
        var isDouble: Bool
    }
    struct Level: Equatable {
        var units: Int128 = 0
        var magnitude: Int128 = 0
        var isInteger = true
    }
    private struct Input {
        var destination: Int?
        var last: Point?
        var live: Point?
        /// In tenths of a second.
        var interval: UInt64 = 0
        var seen: UInt64
    }
    private static let second: UInt64 = 1_000_000_000
    private var inputs: [Int: Input] = [:]
    let memorySeconds: UInt64
    private(set) var late: UInt64 = 0

    init(memorySeconds: UInt64) { self.memorySeconds = memorySeconds }

    /// What each group shows; one without a live value is not among them.
    var levels: [Int: Level] {
        var levels: [Int: Level] = [:]
        for input in inputs.values {
            guard let destination = input.destination, let live = input.live, let units = live.units else {
                continue
            }
            levels[destination, default: Level()].units += units
            levels[destination]!.magnitude += units < 0 ? -units : units
            if live.isDouble { levels[destination]!.isInteger = false }
        }
        return levels
    }
    mutating func lapse(now: UInt64) {
        for (name, input) in inputs {
            let silent = now / Self.second - input.seen
            if silent > memorySeconds {
                inputs[name] = nil
            } else if silent > Self.patience(input.interval) {
                inputs[name]!.live = nil
            }
        }
    }
    /// Two and a half of its own intervals, and five seconds at least; five minutes while that is unknown.
    private static func patience(_ interval: UInt64) -> UInt64 {
        interval == 0 ? 300 : max(5, (interval * 25 + 99) / 100)
    }
    /// Who goes nowhere is not live, and comes back with its next point.
    mutating func remap(_ resolve: (Int) -> Int?) {
        for name in inputs.keys {
            inputs[name]!.destination = resolve(name)
            if inputs[name]!.destination == nil { inputs[name]!.live = nil }
        }
    }
    mutating func apply(_ point: Point, now: UInt64, _ resolve: (Int) -> Int?) {
        var input = inputs[point.name] ?? Input(destination: resolve(point.name), seen: 0)
        input.seen = now / Self.second
        defer { inputs[point.name] = input }
        if let last = input.last {
            // Of one time the later is an amendment, unless it says the same.
            let isRepetition = point.time == last.time && point.units != nil && point.units == last.units
            guard point.time >= last.time, !isRepetition else {
                if input.destination != nil { late += 1 }
                return
            }
        }
        // The rhythm is that of a live stream; a slower one is followed at once, a faster one by eighths.
        if input.destination != nil, let live = input.live, point.units != nil {
            let tenths = (point.time - live.time + 99_999_999) / 100_000_000
            if point.time - live.time >= 100_000_000 {
                let shrunk = input.interval - min(input.interval, max(1, input.interval / 8))
                input.interval = tenths >= input.interval ? tenths : max(tenths, shrunk)
            }
        }
        input.last = point
        input.live = point.units == nil || input.destination == nil ? nil : point
    }
}
