import Logging
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// The pool's silence, under virtual time: it is silent as long as nobody runs what answers.
@Suite struct PoolPulseTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func aPoolThatAnswersIsNeverSilent() throws {
        try World.run { world in
            let pulse = PoolPulse(world.clock, Self.quiet, patience: .seconds(2))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pulse.answer() }
                group.addTask { await pulse.ask() }
                for _ in 0..<100 {
                    try await world.clock.sleep(for: .milliseconds(700))
                    try require(pulse.silence == nil && !pulse.isDead, "silent")
                }
                group.cancelAll()
            }
        }
    }
    @Test func oneThatDoesNotIsSilentUntilItAnswers() throws {
        try World.run { world in
            let pulse = PoolPulse(world.clock, Self.quiet, patience: .seconds(2))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pulse.ask() }
                try await world.clock.sleep(for: .milliseconds(1500))
                try require(pulse.silence == nil, "a loaded machine is none that hangs")
                try await world.clock.sleep(for: .milliseconds(1000))
                try require(pulse.silence == .milliseconds(2500), "\(String(describing: pulse.silence))")
                try require(!pulse.isDead, "dead")
                try await world.clock.sleep(for: .seconds(8))
                try require(pulse.isDead, "not dead")
                group.addTask { await pulse.answer() }
                try await world.clock.sleep(for: .milliseconds(100))
                try require(pulse.silence == nil && !pulse.isDead, "still silent")
                group.cancelAll()
            }
        }
    }
}
