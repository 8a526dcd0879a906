import Foundation
import PhoenixModel
import PhoenixRuntime

/// Something unusual about one reading.
struct Anomaly: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        /// The newest value is far from what it used to be.
        case zScore = "zscore"
        /// It grew by a large share within a minute.
        case rateOfChange = "rate_of_change"
        /// It doubles again and again.
        case exponentialGrowth = "exponential_growth"
        /// It grows steadily and never falls back.
        case leak
        /// It swings around its mean.
        case oscillation
    }
    enum Severity: String, Sendable { case medium, high, critical }
    var kind: Kind
    var metric: String
    var labels: [String: String]
    var value: Double
    var expected: Double
    /// From 0 to 1.
    var confidence: Double
    var severity: Severity
}

/// Looks at the course of readings, each by its own history; readings in, anomalies out.
struct AnomalyDetector {
    struct Rules: Sendable, Equatable {
        var zScore = 4.0
        /// The share by which a reading may grow in a minute: 1 is twice as much.
        var rateOfChange = 1.0
        /// How many of the newest values are looked at.
        var samples = 60
        /// Fewer say nothing.
        var leastSamples = 12
        /// An anomaly that goes on is told again after so long.
        var repeatAfter = Duration.seconds(300)
        /// Readings beyond are not looked at.
        var maximumReadings = 5_000
    }
    struct Key: Hashable {
        var source: String
        var name: String
        var labels: [String: String]
    }
    private struct Course {
        /// The newest, as many as `samples`.
        var values: [(at: Double, value: Double)] = []
        /// Those of the last minute, thinned out, behind the newest that is older: there is always one to compare with,
        /// however soon `samples` newer ones come.
        private var minute: [(at: Double, value: Double)] = []
        /// When each kind was last told, and whether it still holds.
        var told: [Anomaly.Kind: Duration] = [:]
        var holds: Set<Anomaly.Kind> = []
        var seen = Duration.zero

        /// What it was a minute ago; nil while it is younger.
        func minuteAgo(at now: Double) -> Double? { minute.last(where: { $0.at <= now - 60 })?.value }
        mutating func note(_ value: Double, at now: Double, most samples: Int) {
            values.append((now, value))
            values.removeFirst(max(values.count - samples, 0))
            if let last = minute.last, now - last.at < 4 { return }
            minute.append((now, value))
            if let old = minute.lastIndex(where: { $0.at <= now - 60 }) { minute.removeFirst(old) }
        }
    }
    var rules: Rules
    private var courses: [Key: Course] = [:]

    init(_ rules: Rules) { self.rules = rules }

    /// How many readings show a kind of anomaly now.
    func active(_ kind: Anomaly.Kind) -> Int {
        courses.values.reduce(0) { $0 + ($1.holds.contains(kind) ? 1 : 0) }
    }

    /// Takes a snapshot; answers what is newly unusual, or still is after `repeatAfter`.
    mutating func take(_ observation: Observation, at now: Duration) -> [Anomaly] {
        var found: [Anomaly] = []
        for reading in observation.readings where reading.value.isFinite {
            let key = Key(source: observation.source, name: reading.name, labels: reading.attributes)
            guard courses[key] != nil || courses.count < rules.maximumReadings else { continue }
            var course = courses[key] ?? Course()
            let anomalies = judge(reading, course, at: now)
            course.holds = Set(anomalies.map(\.kind))
            for anomaly in anomalies {
                if let last = course.told[anomaly.kind], now - last < rules.repeatAfter { continue }
                course.told[anomaly.kind] = now
                found.append(anomaly)
            }
            course.note(reading.value, at: now.inSeconds, most: rules.samples)
            course.seen = now
            courses[key] = course
        }
        courses = courses.filter { now - $0.value.seen < .seconds(3600) }
        return found
    }

    private func judge(_ reading: Observation.Reading, _ course: Course, at now: Duration) -> [Anomaly] {
        let past = course.values
        guard past.count >= rules.leastSamples else { return [] }
        let shape = Shape(past + [(now.inSeconds, reading.value)])
        var found: [Anomaly] = []
        func add(_ kind: Anomaly.Kind, _ expected: Double, _ confidence: Double, _ severity: Anomaly.Severity)
        {
            found.append(
                Anomaly(
                    kind: kind,
                    metric: reading.name,
                    labels: reading.attributes,
                    value: reading.value,
                    expected: expected,
                    confidence: min(max(confidence, 0), 1),
                    severity: severity
                )
            )
        }
        let values = past.map(\.value)
        let mean = values.reduce(0, +) / Double(values.count)
        let score = CardinalityTrend.zScore(of: reading.value, among: values)
        if abs(score) >= rules.zScore {
            add(
                .zScore,
                mean,
                1 - rules.zScore / (2 * abs(score)),
                abs(score) >= 2 * rules.zScore ? .critical : .high
            )
        }
        if let before = course.minuteAgo(at: now.inSeconds), before > 0 {
            let rate = (reading.value - before) / before
            if rate >= rules.rateOfChange {
                add(.rateOfChange, before, rate / (rate + rules.rateOfChange), .high)
            }
        }
        if let fit = shape.exponentialGrowth {
            add(.exponentialGrowth, shape.first, fit, .critical)
        } else if let fit = shape.leak {
            add(.leak, shape.first, fit, .medium)
        }
        if let fit = shape.oscillation { add(.oscillation, mean, fit, .medium) }
        return found
    }

    /// The course of a reading, and which pattern it has; the answers are how well it fits, 0 to 1.
    struct Shape {
        private let times: [Double]
        private let values: [Double]
        var first: Double { values[0] }

        init(_ course: [(at: Double, value: Double)]) {
            times = course.map(\.at)
            values = course.map(\.value)
        }

        /// A straight line through the logarithms fits better than one through the values, and it at least doubled.
        var exponentialGrowth: Double? {
            guard values.allSatisfy({ $0 > 0 }), values[values.count - 1] >= 2 * values[0] else { return nil }
            let (slope, fit) = Self.line(times, values.map { log($0) })
            let straight = Self.line(times, values).fit
            return slope > 0 && fit >= 0.98 && fit > straight ? fit : nil
        }
        /// It rises by a fifth of its mean at least, hardly ever falls, and in a straight line.
        var leak: Double? {
            let falls = zip(values, values.dropFirst()).filter { $0.1 < $0.0 }.count
            let mean = values.reduce(0, +) / Double(values.count)
            guard mean > 0, values[values.count - 1] - values[0] >= mean / 5, falls * 20 <= values.count
            else {
                return nil
            }
            let (slope, fit) = Self.line(times, values)
            return slope > 0 && fit >= 0.9 ? fit : nil
        }
        /// It crosses its mean at least six times, and each time goes a tenth of it away.
        var oscillation: Double? {
            let mean = values.reduce(0, +) / Double(values.count)
            guard mean > 0 else { return nil }
            var (side, crossings) = (0, 0)
            for value in values where abs(value - mean) >= mean / 10 {
                let now = value > mean ? 1 : -1
                if side != 0, now != side { crossings += 1 }
                side = now
            }
            return crossings >= 6 ? min(1, Double(crossings) / 12) : nil
        }

        /// The slope of the line of least squares, and the share of the variance that it explains.
        private static func line(_ xs: [Double], _ ys: [Double]) -> (slope: Double, fit: Double) {
            let count = Double(xs.count)
            let (meanX, meanY) = (xs.reduce(0, +) / count, ys.reduce(0, +) / count)
            var (xx, xy, yy) = (0.0, 0.0, 0.0)
            for (x, y) in zip(xs, ys) {
                xx += (x - meanX) * (x - meanX)
                xy += (x - meanX) * (y - meanY)
                yy += (y - meanY) * (y - meanY)
            }
            guard xx > 0, yy > 0 else { return (0, 0) }
            return (xy / xx, xy * xy / (xx * yy))
        }
    }
}
