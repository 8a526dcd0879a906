import Foundation
import Logging
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// Both `mode_file` nodes on a real directory, by a clock that the test moves: they poll, whatever the kernel tells.
@Suite struct ModeFileTests {
    /// A directory of one test's own.
    final class Place: Sendable {
        let directory: URL
        var path: String { directory.appendingPathComponent("optimization_mode.yaml").path }
        init() throws {
            directory = FileManager.default.temporaryDirectory.appendingPathComponent(
                "phoenix-\(UUID().uuidString)"
            )
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        }
        deinit { try? FileManager.default.removeItem(at: directory) }
        func write(_ text: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        func remove() throws { try FileManager.default.removeItem(atPath: path) }
        func read() throws -> ControlFile {
            try ControlFile(String(contentsOfFile: path, encoding: .utf8), file: path)
        }
        var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? [] }
    }

    @Test func theReceiverFollowsAndKeepsTheLastGoodMode() throws {
        let place = try Place()
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            let output = harness.read(ModeFileReceiver.Port.output)
            var config = ModeFileReceiver.Config()
            config.path = place.path
            let node = try harness.make(ModeFileReceiver.self, config)
            try await harness.run(node) {
                func pass() async throws { try await world.clock.sleep(for: .seconds(3)) }
                try await pass()
                try place.write("optimization_profile: balanced\nconfig_version: 4\n")
                try await pass()
                try place.write("optimization_profile: [balan")
                try await pass()
                try place.remove()
                try await pass()
                try place.write("optimization_mode: aggressive\nversion: 5\n")
                try await pass()
            }
            let told = output.messages.map { "\($0.mode) \($0.version)" }
            try require(told == ["balanced 4", "aggressive 5"], "\(told)")
            let vitals = harness.context.vitals
            let rejected = vitals.counter("phoenix_control_file_rejected_total").value
            try require(rejected == 3, "missing, broken, missing: \(rejected)")
            let applied = vitals.gauge("phoenix_main_applied_control_config_version").value
            try require(applied == 5, "applied \(applied)")
        }
    }

    @Test func aFileThatCanNeverBeWrittenIsRefusedAtTheStart() throws {
        let place = try Place()
        try World.run { world in
            var config = ModeFileExporter.Config()
            config.path = place.directory.path + "/no/optimization_mode.yaml"
            do {
                _ = try NodeHarness(world.clock, id: "file").make(ModeFileExporter.self, config)
                try require(false, "it was taken")
            } catch let error as ControlFileStore.DiskError {
                let remedy = "make the directory \(place.directory.path)/no, or name another `path`"
                try require(error.description.hasSuffix(remedy), error.description)
            }
        }
    }

    @Test func theExporterWritesEachModeAndTellsHandEdits() throws {
        let place = try Place()
        try place.write("optimization_profile: balanced\nconfig_version: 40\ncorrelation_id: old\n")
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "file")
            harness.link(ModeFileExporter.Port.input)
            let edits = harness.read(ModeFileExporter.Port.edits)
            var config = ModeFileExporter.Config()
            config.path = place.path
            let node = try harness.make(ModeFileExporter.self, config)
            func pass() async throws { try await world.clock.sleep(for: .seconds(3)) }
            func change(_ mode: Mode, _ version: UInt64) -> ModeChange {
                ModeChange(mode, because: "why", correlationID: "c\(version)", version: version)
            }
            try await harness.run(node) {
                try await pass()
                try require(
                    edits.messages.map(\.version) == [40],
                    "the file as it was found: \(edits.messages)"
                )
                try await harness.feed(ModeFileExporter.Port.input, change(.aggressive, 41))
                try await pass()
                let written = try place.read()
                try require(written.mode == .aggressive && written.version == 41, "\(written)")
                try place.write(
                    "optimization_profile: conservative\nconfig_version: 41\ncorrelation_id: c41\n"
                )
                try await pass()
                try require(edits.messages.map(\.mode) == [.balanced, .conservative], "\(edits.messages)")
                try await harness.feed(ModeFileExporter.Port.input, change(.conservative, 42))
                try await pass()
                let second = try place.read()
                try require(second.version == 42, "\(second)")
                try require(edits.messages.count == 2, "it told its own writes: \(edits.messages)")
                try place.write("config_version: 60\noptimization_profile: [")
                try await pass()
                try await harness.feed(ModeFileExporter.Port.input, change(.balanced, 43))
                try await pass()
                let mended = try place.read()
                try require(mended.version == 61 && mended.mode == .balanced, "\(mended)")
            }
        }
        #expect(place.names == ["optimization_mode.yaml"])
    }

    @Test func aPipeInPlaceOfTheFileChangesNothing() throws {
        let place = try Place()
        try place.write("optimization_profile: balanced\nconfig_version: 4\n")
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            let output = harness.read(ModeFileReceiver.Port.output)
            var config = ModeFileReceiver.Config()
            config.path = place.path
            let node = try harness.make(ModeFileReceiver.self, config)
            try await harness.run(node) {
                try await world.clock.sleep(for: .seconds(3))
                try place.remove()
                try require(mkfifo(place.path, 0o600) == 0, "no pipe was made")
                try await world.clock.sleep(for: .seconds(3))
                try place.remove()
                try place.write("optimization_mode: aggressive\nversion: 5\n")
                try await world.clock.sleep(for: .seconds(3))
            }
            let told = output.messages.map { "\($0.mode) \($0.version)" }
            try require(told == ["balanced 4", "aggressive 5"], "\(told)")
        }
    }

    @Test func aDiskThatRefusesIsTriedAgain() throws {
        let place = try Place()
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "file")
            harness.link(ModeFileExporter.Port.input)
            var config = ModeFileExporter.Config()
            config.path = place.path
            let node = try harness.make(ModeFileExporter.self, config)
            try FileManager.default.removeItem(at: place.directory)
            try await harness.run(node) {
                try await harness.feed(
                    ModeFileExporter.Port.input,
                    ModeChange(.balanced, because: "x", correlationID: "c", version: 1)
                )
                try await world.clock.sleep(for: .seconds(3))
                try FileManager.default.createDirectory(
                    at: place.directory,
                    withIntermediateDirectories: false
                )
                try await world.clock.sleep(for: .seconds(3))
                let written = try place.read()
                try require(written.mode == .balanced, "\(written)")
            }
        }
    }

    @Test func aModeThatIsLostAtTheEndIsNamed() throws {
        let place = try Place()
        let lines = try World.run { world in
            let log = WrittenLog()
            let harness = NodeHarness(world.clock, id: "file")
            harness.context.logger = Logger(label: "test") { _ in log }
            harness.link(ModeFileExporter.Port.input)
            var config = ModeFileExporter.Config()
            config.path = place.path
            let node = try harness.make(ModeFileExporter.self, config)
            try FileManager.default.removeItem(at: place.directory)
            try await harness.run(node) {
                try await harness.feed(
                    ModeFileExporter.Port.input,
                    ModeChange(.balanced, because: "x", correlationID: "c", version: 1)
                )
                try await world.clock.sleep(for: .seconds(3))
            }
            return log.lines.withLock { $0 }
        }
        let last = lines.last ?? ""
        #expect(last.hasPrefix("error control file not written, and the node ends"), "\(lines)")
        #expect(last.contains("file=\(place.path)") && last.contains("mode=balanced"), "\(lines)")
    }
}
