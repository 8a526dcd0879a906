import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// What nodes remember goes from one process to the next: another series table, and nothing but bytes between them.
@Suite struct RestartTests {
    private final class Bytes {
        var all: [UInt8] = []
    }
    /// What was noted after the picture; it has no end, for the process was killed.
    private final class Notes: StateJournal {
        private let bytes = Lock([UInt8]())
        var all: [UInt8] { bytes.withLock { $0 } }
        private let writer: Lock<StateWriter>
        init() throws {
            let bytes = bytes
            var writer = try StateWriter { piece in bytes.withLock { $0 += piece } }
            try writer.beginSection()
            self.writer = Lock(writer)
        }
        func append(_ body: (inout StateWriter) throws -> Void) {
            writer.withLock { writer in
                do {
                    try body(&writer)
                    try writer.flush()
                } catch { Issue.record("not noted: \(error)") }
            }
        }
    }
    private static func source(_ bytes: [UInt8]) -> StateReader.Source {
        var rest = bytes[...]
        return { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
    }
    static func written(_ picture: any StatePicture) throws -> [UInt8] {
        let bytes = Bytes()
        var writer = try StateWriter { bytes.all += $0 }
        try writer.beginSection()
        try picture.write(to: &writer)
        try writer.finish()
        return bytes.all
    }
    private static func reader(_ bytes: [UInt8]) throws -> StateReader {
        var reader = try StateReader(source(bytes))
        _ = try reader.nextSection()
        return reader
    }

    /// Senders that tell totals: their counters only grow, and a histogram each.
    private struct Senders {
        var counts: [UInt64]
        var doubles: [UInt64]
        private var starts: [UInt64]
        init(_ count: Int, at now: UInt64) {
            (counts, doubles) = (Array(repeating: 0, count: count), Array(repeating: 0, count: count))
            starts = Array(repeating: now + 1, count: count)
        }
        /// Another process begins.
        mutating func begin(at now: UInt64) {
            counts.append(0)
            doubles.append(0)
            starts.append(now - 1_000_000_000)
        }
        mutating func grow(_ random: inout SeededGenerator) {
            for index in counts.indices {
                counts[index] += UInt64.random(in: 0...50, using: &random)
                doubles[index] += UInt64.random(in: 0...9, using: &random)
            }
        }
        /// What some of them say.
        func batch(_ table: SeriesTable, at now: UInt64, _ chosen: [Int]) throws -> MetricBatch {
            var parts = MetricBatch.Parts()
            let layout = BucketLayout(bounds: [1, 2])
            for index in chosen {
                let start = starts[index]
                func id(_ name: String, _ kind: PointKind) throws -> SeriesID {
                    let identity = MetricIdentity(
                        name: name,
                        kind: kind,
                        temporality: .cumulative,
                        isMonotonic: kind == .sum
                    )
                    let id = table.id(
                        resource: table.intern([
                            Attribute("host.name", "h\(index % 3)"),
                            Attribute("process.pid", .int(Int64(index))),
                        ]),
                        metric: table.metric(identity),
                        attributes: table.intern([])
                    )
                    return try #require(id)
                }
                parts.numbers.append(
                    try id("whole", .sum),
                    time: now,
                    start: start,
                    bits: counts[index],
                    flags: .isInteger
                )
                parts.numbers.append(
                    try id("real", .sum),
                    time: now,
                    start: start,
                    bits: (Double(doubles[index]) / 8).bitPattern,
                    flags: []
                )
                parts.histograms.append(
                    try id("seconds", .histogram),
                    time: now,
                    start: start,
                    buckets: [counts[index], doubles[index], 0],
                    layout
                )
            }
            return MetricBatch(parts)
        }
    }
    /// What a reader knows of outputs by their names, over processes.
    private struct Shown {
        var values: [String: Double] = [:]
        var falls: [String] = []
        mutating func book(_ batch: MetricBatch, _ table: SeriesTable) {
            func show(_ id: SeriesID, _ value: Double) {
                guard let series = table.series(id) else { return }
                let attributes = series.resource.attributes + series.attributes.attributes
                let name = series.metric.name + attributes.map { "|\($0.key)=\($0.value.text)" }.joined()
                if let last = values[name], last > value { falls.append("\(name): \(last) to \(value)") }
                values[name] = value
            }
            let numbers = batch.numbers
            for index in numbers.series.indices {
                let isInteger = numbers.flags[index].contains(.isInteger)
                let bits = numbers.values[index]
                show(
                    numbers.series[index],
                    isInteger ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
                )
            }
            let histograms = batch.histograms
            for index in histograms.series.indices {
                show(histograms.series[index], Double(histograms.counts[index]))
            }
        }
        func total(_ metric: String) -> Double {
            values.reduce(0) { $1.key.split(separator: "|").first.map(String.init) == metric ? $0 + $1.value : $0 }
        }
    }

    /// Processes one after the other, each of which dies some batches after its last picture was taken.
    ///
    /// - Parameter changesMode: in the rounds after the picture, too.
    func live<Kind: JournalingNode>(
        _ type: Kind.Type,
        seed: UInt64,
        lostRounds: ClosedRange<Int>,
        changesMode: Bool = false,
        _ settings: @escaping @Sendable (inout SeededGenerator) -> Settings<Kind.Config>
    ) throws {
        try World.run(seed: seed) { world in
            let random = Lock(world.random)
            let senders = Lock(Senders(9, at: world.clock.unixNanoseconds))
            let shown = Lock(Shown())
            var saved: (picture: [UInt8], notes: [UInt8])?
            for process in 0..<4 {
                let harness = NodeHarness(world.clock)
                harness.context.series = SeriesTable()
                // Other ids than in the process before.
                let table = harness.context.series
                _ = table.id(
                    resource: table.intern([Attribute("process", .int(Int64(process)))]),
                    metric: table.metric(MetricIdentity(name: "other", kind: .gauge)),
                    attributes: table.intern([])
                )
                harness.link(RelabelingPort.input)
                if changesMode { harness.link(RelabelingPort.mode) }
                let output = harness.read(RelabelingPort.output)
                let config = random.withLock { settings(&$0) }
                let node = try harness.make(type, config)
                if let saved {
                    var reader = try Self.reader(saved.picture)
                    let state = try Kind.read(from: &reader, config, harness.context)
                    #expect(throws: StateError.self, "a journal has no end") {
                        var notes = try Self.reader(saved.notes)
                        try Kind.read(journal: &notes, into: state, harness.context)
                    }
                    // Wherever it breaks off.
                    for _ in 0..<5 {
                        let length = random.withLock { Int.random(in: 0...saved.notes.count, using: &$0) }
                        var other = harness.context
                        other.series = SeriesTable()
                        var again = try Self.reader(saved.picture)
                        let state = try Kind.read(from: &again, config, other)
                        #expect(throws: StateError.self) {
                            var notes = try Self.reader(Array(saved.notes.prefix(length)))
                            try Kind.read(journal: &notes, into: state, other)
                        }
                    }
                    await node.inherit(state)
                }
                let picture = Lock<(any StatePicture)?>(nil)
                let notes = try Notes()
                try await world.clock.sleep(for: .seconds(1))
                try await harness.run(node) {
                    let lost = random.withLock { Int.random(in: lostRounds, using: &$0) }
                    for round in 0..<4 + lost {
                        if round == 4 {
                            try await world.clock.sleep(for: .seconds(1))
                            await node.note(in: notes)
                            let taken = await node.picture()
                            picture.withLock { $0 = taken }
                        }
                        if changesMode, random.withLock({ Int.random(in: 0..<3, using: &$0) == 0 }) {
                            let mode: Mode = random.withLock { Bool.random(using: &$0) } ? .aggressive : .balanced
                            try await harness.feed(RelabelingPort.mode, ModeChange(mode, because: "test"))
                        }
                        let now = world.clock.unixNanoseconds
                        let batch = try senders.withLock { senders in
                            try random.withLock { random in
                                if round > 0, Int.random(in: 0..<4, using: &random) == 0 { senders.begin(at: now) }
                                senders.grow(&random)
                                // Not all speak each time; all do in the first round of a process, and in the very last.
                                let isLast = process == 3 && round == 3 + lost
                                let chosen = senders.counts.indices.filter { _ in
                                    round == 0 || isLast || Bool.random(using: &random)
                                }
                                return try senders.batch(table, at: now, chosen)
                            }
                        }
                        try await harness.feed(RelabelingPort.input, batch)
                        try await world.clock.sleep(for: .seconds(5))
                    }
                    if lost == 0 {
                        let taken = await node.picture()
                        picture.withLock { $0 = taken }
                    }
                }
                shown.withLock { shown in for batch in output.messages { shown.book(batch, table) } }
                saved = try picture.withLock { try $0.map { (try Self.written($0), notes.all) } }
                try await world.clock.sleep(for: .seconds(30))
            }
            let (known, due) = (shown.withLock { $0 }, senders.withLock { $0 })
            try require(known.falls.isEmpty, "fell: \(known.falls)")
            let (whole, real) = (Double(due.counts.reduce(0, +)), Double(due.doubles.reduce(0, +)))
            try require(known.total("whole") == whole, "\(known.total("whole")) for \(whole)")
            try require(known.total("real") == real / 8, "\(known.total("real")) for \(real / 8)")
            try require(
                known.total("seconds") == whole + real,
                "\(known.total("seconds")) for \(whole + real)"
            )
        }
    }

    @Test(arguments: 1...UInt64(10)) func aggregateGoesOnWhereItWas(seed: UInt64) throws {
        try live(Aggregate.self, seed: seed, lostRounds: 0...0) { random in
            var config = Aggregate.Config()
            if Bool.random(using: &random) { config.drop = ["process.pid"] }
            return Settings(config)
        }
    }
    @Test(arguments: 1...UInt64(10)) func aggregateCountsWhatWasLost(seed: UInt64) throws {
        try live(Aggregate.self, seed: seed, lostRounds: 1...3) { _ in
            var config = Aggregate.Config()
            config.drop = ["process.pid"]
            return Settings(config)
        }
    }
    @Test(arguments: 1...UInt64(10)) func aggregateCountsWhatWasLostInAnotherMode(seed: UInt64) throws {
        try live(Aggregate.self, seed: seed, lostRounds: 1...4, changesMode: true) { _ in
            var (base, lean) = (Aggregate.Config(), Aggregate.Config())
            base.drop = ["process.pid"]
            lean.drop = ["host.name", "process.pid"]
            return Settings(base, modes: [.aggressive: lean])
        }
    }
    @Test(arguments: 1...UInt64(20)) func topKCountsWhatWasLostInItsPlace(seed: UInt64) throws {
        try live(TopK.self, seed: seed, lostRounds: 1...6, changesMode: seed % 2 == 0) { _ in
            var config = TopK.Config()
            (config.k, config.metric) = (1, "whole")
            (config.every, config.window) = (.seconds(5), .seconds(20))
            var lean = config
            lean.k = 0
            return Settings(config, modes: [.aggressive: lean])
        }
    }
    @Test(arguments: 1...UInt64(20)) func aLimitKeepsThePlacesAndCountsWhatWasLost(seed: UInt64) throws {
        try live(Limit.self, seed: seed, lostRounds: 0...(seed % 2 == 0 ? 0 : 4), changesMode: seed % 3 == 0) { random in
            var config = Limit.Config()
            config.total = 15
            if Bool.random(using: &random) { config.metrics = ["whole": 4] }
            var lean = config
            lean.total = 5
            return Settings(config, modes: [.aggressive: lean])
        }
    }
    /// A new node reads what an old one wrote.
    static func inherit<Kind: LastingNode>(
        _ node: Kind,
        _ bytes: [UInt8],
        _ harness: NodeHarness
    ) async throws where Kind.Config: Sendable {
        var reader = try reader(bytes)
        await node.inherit(try Kind.read(from: &reader, Settings(Kind.Config()), harness.context))
    }
    @Test func aModeControllerGoesOnWithWhatAPersonSaid() throws {
        try World.run(seed: 1) { world in
            let saved = Lock([UInt8]())
            // What each process says, and how long it lives.
            let lives: [(seconds: Int, modes: [Mode], versions: [UInt64])] = [
                (10, [.conservative, .aggressive], [1, 2]), (100, [.aggressive], [2]),
                (700, [.aggressive, .conservative], [2, 3]), (10, [.conservative], [3]),
            ]
            for (process, life) in lives.enumerated() {
                let harness = NodeHarness(world.clock, id: "control")
                harness.link(ModeController.Port.input)
                let modes = harness.read(ModeController.Port.output)
                let node = try harness.make(ModeController.self)
                if process > 0 { try await Self.inherit(node, saved.withLock { $0 }, harness) }
                try await harness.run(node) {
                    try await world.clock.sleep(for: .seconds(1))
                    if process == 0 {
                        let desk = await node.controlDesk
                        _ = desk.override(.aggressive, for: .seconds(600), reason: "an incident")
                    }
                    try await world.clock.sleep(for: .seconds(life.seconds))
                    let bytes = try await node.picture().map(Self.written) ?? []
                    saved.withLock { $0 = bytes }
                }
                let told = modes.messages
                try require(told.map(\.mode) == life.modes, "process \(process): \(told)")
                try require(told.map(\.version) == life.versions, "process \(process): \(told)")
                try await world.clock.sleep(for: .seconds(60))
            }
        }
    }
    @Test func aControlFileSaysTheModeBeforeTheStateDoes() throws {
        try World.run(seed: 1) { world in
            var law = ControlLaw(ModeController.Config().control, at: world.clock.moment)
            _ = law.override(.aggressive, for: nil, reason: "an incident", at: world.clock.moment)
            let harness = NodeHarness(world.clock, id: "control")
            harness.link(ModeController.Port.input)
            harness.link(ModeController.Port.edits)
            let modes = harness.read(ModeController.Port.output)
            let node = try harness.make(ModeController.self)
            try await Self.inherit(node, try Self.written(KeptControl(law)), harness)
            try await harness.run(node) {
                let file = ModeChange(.balanced, because: "load", correlationID: "pv3ux-1-5", version: 5)
                try await harness.feed(ModeController.Port.edits, file)
                try await world.clock.sleep(for: .seconds(5))
            }
            try require(modes.messages.map(\.mode) == [.balanced], "\(modes.messages)")
        }
    }
    @Test(arguments: 1...UInt64(5)) func topKGoesOnWhereItWas(seed: UInt64) throws {
        try live(TopK.self, seed: seed, lostRounds: 0...0) { _ in
            var config = TopK.Config()
            (config.k, config.metric) = (1, "whole")
            return Settings(config)
        }
    }
}

extension HistogramPoints {
    fileprivate mutating func append(
        _ id: SeriesID,
        time: UInt64,
        start: UInt64,
        buckets: [UInt64],
        _ layout: BucketLayout
    ) {
        series.append(id)
        times.append(time)
        starts.append(start)
        flags.append(.hasSum)
        counts.append(buckets.reduce(0, +))
        sums.append(Double(buckets.reduce(0, +)))
        minima.append(0)
        maxima.append(0)
        layouts.append(layout)
        offsets.append(self.buckets.count)
        self.buckets += buckets
    }
}
