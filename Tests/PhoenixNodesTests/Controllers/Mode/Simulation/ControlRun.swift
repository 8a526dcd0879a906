import PhoenixModel
import PhoenixRuntime

@testable import PhoenixNodes

/// One plant under one load for some hours of virtual time, steered by the law and beside it by the old system's.
struct ControlRun {
    struct Change: Equatable {
        var second: Int
        var from: Mode
        var to: Mode
    }
    /// What a law did to the plant.
    struct Outcome {
        var changes: [Change] = []
        /// Seconds with more series than `aggressive` begins at, though a mode would have kept them below.
        var overloaded = 0

        /// The most changes within any hour.
        var worstHour: Int {
            changes.indices.map { first in
                changes[first...].prefix { $0.second - changes[first].second < 3600 }.count
            }.max() ?? 0
        }
        /// The shortest time after which a change was taken back.
        var fastestReversal: Int? {
            zip(changes, changes.dropFirst()).filter { ($0.to > $0.from) != ($1.to > $1.from) }
                .map { $1.second - $0.second }.min()
        }
    }
    static let hours = 4
    /// Observers speak, and the node ticks, this often.
    static let step = 15
    /// A series counts as alive for so long after its last point.
    static let expiry = 300
    static let noise = 0.03

    private(set) var law = Outcome()
    private(set) var old = Outcome()
    /// The longest that the law left a count over its threshold, beyond what its rules of time say.
    private(set) var slowestReaction = 0
    private(set) var largestIntegral = 0.0
    /// Whether the sum moved away from 0 while no mode could answer.
    private(set) var woundUp = false

    init(_ plant: Plant, _ shape: LoadShape, load: Double, settings: ControlSettings = .init(), seed: UInt64)
    {
        var random = SeededGenerator(seed: seed)
        var (law, old) = (ControlLaw(settings, at: .at(0)), OldLaw())
        _ = law.start(at: .at(0))
        var recent: [Double] = []
        var overSince: Int?
        for second in stride(from: 0, through: Self.hours * 3600, by: Self.step) {
            let time = Double(second)
            recent.append(load * shape.load(at: time))
            if recent.count > Self.expiry / Self.step { recent.removeFirst() }
            // What is gone counts as alive until it expires.
            let raw = (recent.max() ?? 0) * (1 + Self.noise * Double.random(in: -1...1, using: &random))
            let counts = Counts(plant, raw, growth: shape.growth(at: time))
            let before = (mode: law.mode, integral: law.terms.integral, last: law.lastChange)
            let decision =
                law.observe(counts.observation(in: law.mode, second), at: .at(second))
                ?? law.tick(at: .at(second))
            if let decision, decision.from != decision.to {
                self.law.changes.append(Change(second: second, from: decision.from, to: decision.to))
            }
            noteReaction(counts[before.mode], before.mode, before.last, &overSince, second, settings)
            noteIntegral(before.integral, law, counts[before.mode] - settings.target, before.mode, settings)
            if second % 60 == 0, second > 0 {
                let from = old.mode
                if old.look(counts[from], at: second) {
                    self.old.changes.append(Change(second: second, from: from, to: old.mode))
                }
            }
            if counts[.aggressive] <= settings.aggressiveMinimum {
                if counts[law.mode] > settings.aggressiveMinimum { self.law.overloaded += Self.step }
                if counts[old.mode] > settings.aggressiveMinimum { self.old.overloaded += Self.step }
            }
        }
    }

    private mutating func noteReaction(
        _ count: Double,
        _ mode: Mode,
        _ last: ControlLaw.Change?,
        _ overSince: inout Int?,
        _ second: Int,
        _ settings: ControlSettings
    ) {
        guard let limit = settings.leaving(mode), count > limit else {
            overSince = nil
            return
        }
        // It cannot be known before it was first observed.
        let since = overSince ?? second
        overSince = since
        let wait = last.map { $0.isUp ? settings.stability : settings.stability * 2 } ?? .zero
        let mayAct = max(since, last.map { Int(($0.time + wait).inSeconds) } ?? 0)
        let isDone = law.changes.last?.second == second
        slowestReaction = max(slowestReaction, second - mayAct)
        if isDone { overSince = nil }
    }

    private mutating func noteIntegral(
        _ before: Double,
        _ law: ControlLaw,
        _ error: Double,
        _ mode: Mode,
        _ settings: ControlSettings
    ) {
        let now = law.terms.integral
        largestIntegral = max(largestIntegral, now.magnitude)
        let isSaturated = mode == .aggressive && error > 0 || mode == .conservative && error < 0
        if isSaturated, now.magnitude > before.magnitude { woundUp = true }
    }
}

/// The series that each mode lets out at one moment.
struct Counts {
    private let counts: [Mode: Double]
    private let raw: Double

    init(_ plant: Plant, _ raw: Double, growth: Double) {
        self.raw = plant.count(raw, growth: growth, in: .conservative)
        counts = Dictionary(
            uniqueKeysWithValues: Mode.allCases.map { ($0, plant.count(raw, growth: growth, in: $0)) }
        )
    }
    subscript(mode: Mode) -> Double { counts[mode] ?? 0 }

    /// What `pipeline_kpis` says while a mode holds.
    func observation(in mode: Mode, _ second: Int) -> Observation {
        let pipeline = [KPIName.pipelineLabel: PipelineName.optimized]
        var readings = [Observation.Reading(KPIName.admitted, self[mode], pipeline)]
        for other in Mode.allCases {
            let labels = pipeline.merging([KPIName.modeLabel: other.rawValue]) { $1 }
            readings.append(.init(KPIName.wouldAdmit, self[other], labels))
        }
        let nanoseconds = Moment.at(second).unixNano
        return Observation(source: "kpis", timeUnixNano: nanoseconds, readings: readings)
    }
}

extension Moment {
    /// So many seconds into a run.
    static func at(_ seconds: Int) -> Moment {
        Moment(
            monotonic: .seconds(seconds),
            unixNano: 1_704_067_200_000_000_000 + UInt64(seconds) * 1_000_000_000
        )
    }
}
