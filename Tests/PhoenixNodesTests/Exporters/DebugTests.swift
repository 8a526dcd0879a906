import Logging
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct DebugTests {
    private static let text = """
        cpu{resource: host=a; core=0} sum cumulative monotonic start=0s time=10s 5
        cpu{resource: host=a; core=1} gauge time=10s 2.5
        wait{resource: host=a} histogram cumulative start=0s time=10s count=3 sum=4.5 bounds=[1] buckets=[1, 2]
        """

    @Test(arguments: [
        (Debug.Verbosity.basic, ["3 points: 2 numbers, 1 histograms"]),
        (.normal, ["3 points: 2 numbers, 1 histograms", "  cpu: 2 points", "  wait: 1 points"]),
        (
            .detailed,
            [
                "3 points: 2 numbers, 1 histograms", "  cpu{host=a, core=0} 5", "  cpu{host=a, core=1} 2.5",
                "  wait{host=a} count 3",
            ]
        ),
    ])
    func saysWhatIsInABatch(_ verbosity: Debug.Verbosity, _ expected: [String]) throws {
        let table = SeriesTable()
        let batch = try PointText.batch(Self.text, table)
        #expect(BatchLog(batch, table).lines(verbosity, most: 10) == expected)
    }

    @Test func saysHowMuchItLeavesOut() throws {
        let table = SeriesTable()
        let lines = BatchLog(try PointText.batch(Self.text, table), table).lines(.detailed, most: 1)
        #expect(lines == ["3 points: 2 numbers, 1 histograms", "  cpu{host=a, core=0} 5", "  and 2 more"])
    }

    @Test func thinsOutWhatComesOften() {
        var sampling = LogSampling()
        let chosen = (0..<20).filter { _ in sampling.isChosen(at: 1, first: 2, then: 5) }
        #expect(chosen == [0, 1, 6, 11, 16])
        let isChosenInTheNextSecond = sampling.isChosen(at: 2, first: 2, then: 0)
        #expect(isChosenInTheNextSecond)
    }

    @Test func writesToTheLogOfTheNode() throws {
        let written = Written()
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.context.logger = Logger(label: "debug") { _ in written }
            harness.link(Debug.Port.input)
            let batch = try PointText.batch(Self.text, harness.context.series)
            let node = try harness.make(Debug.self)
            try await harness.run(node) {
                try await harness.feed(Debug.Port.input, batch, batch, batch)
            }
        }
        #expect(written.lines.withLock { $0 }.count == 2, "two a second, then one of 500")
    }
}

/// A log that is kept.
private struct Written: LogHandler {
    let lines = Shared()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { lines.append("\(event.message)") }

    final class Shared: Sendable {
        private let kept = Lock([String]())
        func append(_ line: String) { kept.withLock { $0.append(line) } }
        func withLock<Result>(_ body: ([String]) -> Result) -> Result { kept.withLock { body($0) } }
    }
}
