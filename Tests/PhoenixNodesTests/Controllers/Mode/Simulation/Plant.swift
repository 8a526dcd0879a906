import PhoenixModel

@testable import PhoenixNodes

/// A graph as the controller sees it: how many series each mode lets out of what comes in.
///
/// Metrics are Zipf-distributed: the first has as many series as the second and third together. Each is reduced by the
/// plant's factors, some a little more and some a little less; one metric in ten may grow.
struct Plant: Sendable {
    let name: String
    private let still: [Mode: Double]
    private let growing: [Mode: Double]

    static let all = [Plant(0.85, 0.72, 0.60), Plant(0.85, 0.60, 0.25), Plant(1, 0.4, 0.1)]
    private static let metrics = 60

    init(_ conservative: Double, _ balanced: Double, _ aggressive: Double) {
        name = "\(conservative)/\(balanced)/\(aggressive)"
        let factors: [Mode: Double] = [
            .conservative: conservative, .balanced: balanced, .aggressive: aggressive,
        ]
        let weights = (1...Self.metrics).map { 1 / Double($0) }
        let total = weights.reduce(0, +)
        var (still, growing): ([Mode: Double], [Mode: Double]) = ([:], [:])
        for (mode, factor) in factors {
            for (index, weight) in weights.enumerated() {
                // No factor is above 1, and none crosses that of another mode.
                let share = weight / total * min(factor * (1 + 0.04 * Double(index % 5 - 2)), 1)
                if index % 10 == 4 {
                    growing[mode, default: 0] += share
                } else {
                    still[mode, default: 0] += share
                }
            }
        }
        // The mean factor is the plant's own, whatever the metrics made of it.
        for (mode, factor) in factors {
            let scale = factor / (still[mode, default: 0] + growing[mode, default: 0])
            still[mode] = still[mode, default: 0] * scale
            growing[mode] = growing[mode, default: 0] * scale
        }
        (self.still, self.growing) = (still, growing)
    }

    /// Series that a mode lets out of `raw` ones, of which the growing metrics have grown `growth`-fold.
    func count(_ raw: Double, growth: Double, in mode: Mode) -> Double {
        raw * (still[mode, default: 0] + growing[mode, default: 0] * growth)
    }
}

/// How the load goes over time, as a factor of the load that a run is named after.
enum LoadShape: String, CaseIterable, Sendable {
    case steady
    /// A fifth up and down within half an hour: it waves around whatever threshold is near.
    case wave
    /// Three times as much after an hour, and back.
    case ramp
    /// Three times as much for ten minutes of every forty.
    case spike
    /// One metric in ten grows 25-fold within an hour and stays so.
    case growth

    func load(at seconds: Double) -> Double {
        switch self {
        case .steady, .growth: 1
        case .wave: 1 + 0.2 * sine(seconds / 1800)
        case .ramp: seconds < 3600 ? 1 + 2 * seconds / 3600 : max(1, 5 - 2 * seconds / 3600)
        case .spike: seconds.truncatingRemainder(dividingBy: 2400) >= 1800 ? 3 : 1
        }
    }
    func growth(at seconds: Double) -> Double {
        self == .growth ? 1 + 24 * min(max((seconds - 1800) / 3600, 0), 1) : 1
    }
    /// sin(2πx) by Bhaskara's approximation: exact to a thousandth, and the same on every machine.
    private func sine(_ turns: Double) -> Double {
        let half = turns.truncatingRemainder(dividingBy: 1) * 2
        let (x, sign) = half < 1 ? (half, 1.0) : (half - 1, -1.0)
        return sign * 16 * x * (1 - x) / (5 - 4 * x * (1 - x))
    }
}
