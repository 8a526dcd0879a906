import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct TransformTests {
    private static func rule(_ change: (inout Transform.Rule) -> Void) -> Transform.Config {
        var (config, rule) = (Transform.Config(), Transform.Rule())
        change(&rule)
        config.rules = [rule]
        return config
    }
    /// What the node sends for each batch of a text, and what it dropped.
    private static func sent(_ config: Transform.Config, _ text: String) throws -> [String] {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let output = harness.read(RelabelingPort.output)
            let node = try harness.make(Transform.self, config)
            try await harness.run(node) {
                for batch in try PointText.batches(text, harness.context.series) {
                    try await harness.feed(RelabelingPort.input, batch)
                }
            }
            return output.messages.map { PointText.text($0, harness.context.series) }
        }
    }

    @Test func anIntegerWithoutRoomBecomesADouble() throws {
        let sent = try Self.sent(
            Self.rule { $0.scale = 4 },
            "m{} gauge time=1s 4611686018427387904\nn{} gauge time=1s 3\no{} gauge time=1s none"
        )
        #expect(
            sent == ["m{} gauge time=1s 1.8446744073709552e+19\nn{} gauge time=1s 12\no{} gauge time=1s none"]
        )
    }
    @Test func withAUnitAloneSeriesPassAsTheyCome() throws {
        let sent = try Self.sent(
            Self.rule { $0.unit = "By" },
            "m{} sum cumulative monotonic start=-99s time=1s 7"
        )
        #expect(sent == ["m{} sum cumulative monotonic unit=By start=-99s time=1s 7"])
    }
    @Test func boundsThatRunTogetherAreDroppedAndCounted() throws {
        let text =
            "m{} histogram delta start=0s time=1s count=2 sum=3.0 bounds=[1e-320, 2e-320] buckets=[1, 1, 0]"
        #expect(try Self.sent(Self.rule { $0.scale = 1e-10 }, text).isEmpty)
        #expect(try !Self.sent(Self.rule { $0.scale = 1e10 }, text).isEmpty)
    }

    /// Powers of two move the buckets by whole places: each bound of the result is the factor times the bound before.
    @Test(arguments: [-3, -1, 0, 1, 5] as [Int32], [-4, -2, 1, 2, 8])
    func bucketsOfExponentialHistogramsKeepTheirBounds(scale: Int32, power: Int) throws {
        var random = SeededGenerator(seed: UInt64(bitPattern: Int64(scale) * 100 + Int64(power)))
        let offset = Int.random(in: -20...20, using: &random)
        let factor = power < 0 ? 1 / Double(1 << -power) : Double(1 << power)
        let sent = try Self.sent(
            Self.rule { $0.scale = factor },
            "m{} exponential delta start=0s time=1s count=1 sum=1.0 scale=\(scale) zero=0 positive=\(offset):[1]"
        )
        let places = Double(power) * (scale < 0 ? 1 / Double(1 << -scale) : Double(1 << scale))
        guard let whole = Int(exactly: places) else {
            return #expect(sent.isEmpty, "no whole place: \(sent)")
        }
        #expect(sent.first?.contains("positive=\(offset + whole):[1]") == true, "\(sent)")
    }

    @Test func anHeirWithOtherScalesInheritsNothing() {
        func verdict(_ old: Transform.Config, _ new: Transform.Config) -> Inheritance {
            Transform.inheritance(from: Settings(old), to: Settings(new))
        }
        let (seconds, named) = (Self.rule { $0.scale = 0.001 }, Self.rule { $0.rename = "n" })
        #expect(verdict(named, Self.rule { $0.rename = "o" }) == .everything)
        #expect(verdict(seconds, seconds) == .everything)
        #expect(verdict(seconds, named) != .everything)
        #expect(verdict(named, seconds) != .everything)
    }

    @Test func settingsSayWhatIsWrong() {
        func errors(_ rules: String) -> String {
            let text = """
                graph: g
                version: 1
                receivers: {synthetic: {}}
                processors: {transform: {from: synthetic, rules: [\(rules)]}}
                exporters: {debug: {from: transform}}
                """
            do {
                _ = try GraphLoader(NodeSpecs(.standard), files: [:]).load(text: text)
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors("{when: {metric: m}}").contains("the rule changes nothing"))
        #expect(errors("{rename: \"\"}").contains("a metric without a name"))
        #expect(errors("{labels: {\"point:\": b}}").contains("names no attribute"))
        #expect(errors("{scale: 0}").contains("scale"))
        #expect(errors("{scale: 2}") == "")
    }
}
