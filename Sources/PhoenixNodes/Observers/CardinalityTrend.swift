import Foundation

/// How a number of series moves: its growth over a window, and how unusual the newest value is.
///
/// The beginning says nothing: as senders report one after the other, everything seems to grow. So there is no growth until
/// the value a window ago is itself a window away from the first.
struct CardinalityTrend: Sendable {
    private var samples: [(at: Duration, count: Double)] = []
    private var first: Duration?
    private static let maximumSamples = 720
    let window: Duration
    /// Growth is measured against at least so many.
    let least: Double

    init(window: Duration, least: Double) { (self.window, self.least) = (window, least) }

    /// The newest count divided by that of a window ago; 1 while that is not known.
    private(set) var growth = 1.0
    /// By how many standard deviations the newest count differs from those before.
    private(set) var zScore = 0.0

    mutating func note(_ count: Double, at now: Duration) {
        if first == nil, count > 0 { first = now }
        zScore = Self.zScore(of: count, among: samples.map(\.count))
        samples.append((now, count))
        // One older than the window stays, to compare with; the more the history holds, the better the deviation.
        while samples.count > Self.maximumSamples || (samples.count > 2 && samples[1].at <= now - window * 10)
        {
            samples.removeFirst()
        }
        growth = 1
        guard let first, let base = samples.last(where: { $0.at <= now - window }), base.at >= first + window
        else {
            return
        }
        if max(base.count, count) > least { growth = count / max(base.count, least, 1) }
    }

    static func zScore(of value: Double, among samples: [Double]) -> Double {
        guard samples.count >= 5 else { return 0 }
        let mean = samples.reduce(0, +) / Double(samples.count)
        let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(samples.count)
        // A number that never moved must not make its first small move endlessly unusual.
        let deviation = max(variance.squareRoot(), abs(mean) * 0.01, 1e-9)
        return (value - mean) / deviation
    }
}
