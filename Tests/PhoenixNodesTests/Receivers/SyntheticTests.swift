import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct SyntheticTests {
    private static func config(_ change: (inout Synthetic.Config) -> Void = { _ in }) -> Synthetic.Config {
        var config = Synthetic.Config()
        (config.hosts, config.processesPerHost, config.interval, config.seed) = (2, 20, .seconds(10), 5)
        change(&config)
        return config
    }
    /// The batches of a minute, as text, in a world of `seed`.
    private static func minute(_ config: Synthetic.Config, seed: UInt64 = 1) throws -> [String] {
        try World.run(seed: seed) { world in
            let harness = NodeHarness(world.clock)
            let output = harness.read(Synthetic.Port.output)
            let node = try harness.make(Synthetic.self, config)
            try await harness.run(node) { try await world.clock.sleep(for: .seconds(59)) }
            return output.messages.map { PointText.text($0, harness.context.series) }
        }
    }

    @Test func theSameSeedGivesTheSamePoints() throws {
        let first = try Self.minute(Self.config(), seed: 1)
        #expect(first.count == 12, "two hosts, six reports each")
        #expect(try Self.minute(Self.config(), seed: 2) == first)
        #expect(try Self.minute(Self.config { $0.seed = 6 }) != first)
    }

    @Test func namesAreThoseOfTheSemanticConventions() throws {
        let text = try Self.minute(Self.config()).joined(separator: "\n")
        let names = Set(text.split(separator: "\n").map { String($0.prefix { $0 != "{" }) })
        #expect(
            names == [
                "process.cpu.time", "process.memory.usage", "process.threads",
                "process.open_file_descriptors", "process.disk.io",
            ]
        )
        for key in ["host.name=", "process.pid=", "process.executable.name=", "process.owner="] {
            #expect(text.contains(key), "no point bears \(key)")
        }
    }

    @Test func processesComeWithTheProfile() throws {
        let waves = try Self.minute(
            Self.config {
                ($0.profile, $0.peak, $0.period, $0.restarts) = (.ramp, 60, .seconds(30), 0)
            }
        )
        func processes(_ text: String) -> Int {
            text.split(separator: "\n").filter { $0.hasPrefix("process.threads{") }.count
        }
        #expect(processes(waves[2]) > processes(waves[0]))
        #expect(processes(waves[10]) == 60, "after its period a ramp stays at its peak")
    }

    @Test func processesStartAnewUnderAnotherNumber() throws {
        func numbers(_ restarts: Double) throws -> Int {
            let text = try Self.minute(Self.config { $0.restarts = restarts }).joined(separator: "\n")
            return Set(text.matches(of: /process\.pid=int\((\d+)\)/).map(\.output.1)).count
        }
        let (none, some) = (try numbers(0), try numbers(0.5))
        #expect(some > none)
    }
}
