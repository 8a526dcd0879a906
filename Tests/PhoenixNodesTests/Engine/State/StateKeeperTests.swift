import Foundation
import Logging
import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import PhoenixWire
import Testing

@testable import PhoenixNodes
@testable import PhoenixRuntime

/// The file in which nodes' memories are kept, as an operator meets it: whatever is wrong with it is told, and costs nothing
/// but what it held.
@Suite struct StateKeeperTests {
    /// A directory that goes with the test.
    final class Folder: Sendable {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "state-\(UInt64.random(in: 0 ... .max))"
        )
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit {
            do { try FileManager.default.removeItem(at: url) } catch {
                print("left behind: \(url): \(error)")
            }
        }
        func file(_ name: String = "state") -> URL { url.appending(path: name) }
        var path: String { file().path }
        var names: [String] {
            get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
        }
    }
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    static func keeper(_ path: String, _ logger: Logger = StateKeeperTests.quiet) throws -> StateKeeper {
        var settings = StateSettings()
        settings.path = path
        return try StateKeeper(settings, EngineServices(logger: logger))
    }
    // As the engine calls them: direct calls from here would find the protocol's own, which are asynchronous as well.
    private static func inherit<Kind: Node>(_ node: Kind, _ state: Kind.State) async {
        await node.inherit(state)
    }
    static func handOver<Kind: Node>(_ node: Kind) async -> Kind.State? { await node.handOver() }
    /// A node that remembers a number: which of its words was the last.
    static func node(_ id: String, _ version: UInt64 = 0) async throws -> (Manual, LastingMemory) {
        let harness = NodeHarness(SystemTime(), id: id)
        let heard = harness.read(Manual.Port.output)
        let node = try harness.make(Manual.self)
        if version > 0 {
            let change = ModeChange(
                .aggressive,
                because: "asked",
                correlationID: "\(id)-\(version)",
                version: version
            )
            await inherit(node, Manual.State(version: version, change: change, settings: Manual.Config()))
        }
        #expect(heard.messages.isEmpty)
        return (node, LastingMemory(node, Settings(Manual.Config()), harness.context))
    }
    /// A node that keeps a journal.
    private static func endpoint(_ id: String) throws -> LastingMemory {
        let harness = NodeHarness(SystemTime(), id: id)
        harness.link(Prometheus.Port.input)
        return LastingMemory(
            try harness.make(Prometheus.self),
            Settings(Prometheus.Config()),
            harness.context
        )
    }
    /// What a process finds in the file: the version that its node goes on from, and how it began.
    static func found(
        _ path: String,
        _ id: String = "a"
    ) async throws -> (version: UInt64?, told: [String: Double]) {
        let keeper = try keeper(path)
        let (node, memory) = try await node(id)
        await keeper.restore([memory])
        return (await handOver(node)?.version, told(keeper))
    }
    static func told(_ keeper: StateKeeper) -> [String: Double] {
        var told: [String: Double] = [:]
        for family in keeper.families {
            for sample in family.samples {
                told[family.name + sample.labels.map { " \($0.value)" }.joined()] = sample.value
            }
        }
        return told
    }
    /// A folder with the state of a node `a`, at its seventh word, and of another.
    static func kept() async throws -> Folder {
        let folder = try Folder()
        let keeper = try keeper(folder.path)
        let nodes = [try await node("a", 7).1, try await node("b", 8).1]
        #expect(await keeper.save(nodes, isFinal: true) == .written)
        return folder
    }

    @Test func whatWasWrittenIsFound() async throws {
        let folder = try await Self.kept()
        #expect(try folder.names == ["state", "state.lock"])
        let found = try await Self.found(folder.path)
        #expect(found.version == 7)
        #expect(found.told["phoenix_state_restores_total restored"] == 1)
        #expect(found.told["phoenix_state_gap_seconds"] == 0)
        #expect(found.told["phoenix_state_forgotten_nodes"] == 1)
    }
    @Test func thereIsAStateBeforeAnythingRuns() async throws {
        let folder = try Folder()
        let found = try await Self.found(folder.path)
        #expect(found.version == 0)
        #expect(found.told["phoenix_state_restores_total absent"] == 1)
        #expect(try await Self.found(folder.path).told["phoenix_state_restores_total restored"] == 1)
    }

    @Test func everyCutIsToldAndSetAside() async throws {
        let folder = try await Self.kept()
        let whole = try Data(contentsOf: folder.file())
        #expect(whole.count > 100)
        for length in 0..<whole.count {
            let cut = whole.prefix(length)
            try cut.write(to: folder.file())
            let found = try await Self.found(folder.path)
            #expect(found.version == 0, "cut after \(length)")
            #expect(found.told["phoenix_state_restores_total damaged"] == 1, "cut after \(length)")
            #expect(try Data(contentsOf: folder.file("state.damaged")) == cut)
            // A new one stands in its place already.
            #expect(try await Self.found(folder.path).told["phoenix_state_restores_total restored"] == 1)
        }
    }
    @Test func everyChangedByteIsToldAndSetAside() async throws {
        let folder = try await Self.kept()
        let whole = try Data(contentsOf: folder.file())
        for place in whole.indices {
            var changed = whole
            changed[place] ^= 0x10
            try changed.write(to: folder.file())
            let found = try await Self.found(folder.path)
            #expect(found.version == 0, "byte \(place)")
            let outcome = place < 8 ? "alien" : "damaged"
            #expect(found.told["phoenix_state_restores_total \(outcome)"] == 1, "byte \(place)")
            #expect(try Data(contentsOf: folder.file("state.damaged")) == changed)
        }
    }

    @Test func aNodeOfAnotherNameBeginsAnewAndTheOthersGoOn() async throws {
        let folder = try await Self.kept()
        let keeper = try Self.keeper(folder.path)
        let (renamed, other) = (try await Self.node("renamed"), try await Self.node("b"))
        await keeper.restore([renamed.1, other.1])
        #expect(await Self.handOver(renamed.0)?.version == 0)
        #expect(await Self.handOver(other.0)?.version == 8)
        #expect(Self.told(keeper)["phoenix_state_forgotten_nodes"] == 1)
    }
    @Test func aNodeOfAnotherTypeBeginsAnew() async throws {
        let folder = try await Self.kept()
        let harness = NodeHarness(SystemTime(), id: "a")
        harness.link(RelabelingPort.input)
        let (node, keeper) = (try harness.make(Classify.self), try Self.keeper(folder.path))
        await keeper.restore([LastingMemory(node, Settings(Classify.Config()), harness.context)])
        let told = Self.told(keeper)
        #expect(told["phoenix_state_restores_total restored"] == 1)
        #expect(told["phoenix_state_forgotten_nodes"] == 2)
    }

    @Test func aPathThatCannotBeIsRefused() async throws {
        let folder = try Folder()
        #expect {
            try Self.keeper(folder.file("missing/state").path)
        } throws: {
            "\($0)".contains("missing/state.lock`: No such file or directory; make its directory")
        }
        #expect {
            try Self.keeper(folder.url.path)
        } throws: {
            "\($0)".contains("is a directory; name a file in it")
        }
        let first = try Self.keeper(folder.path)
        #expect {
            try Self.keeper(folder.path)
        } throws: {
            "\($0)".contains("another process keeps its state in")
        }
        await first.restore([])
    }
    @Test func allIsItsOwnersOnly() async throws {
        let folder = try Folder()
        // Left open by somebody.
        try Data().write(to: folder.file("state.new"))
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: folder.path + ".new")
        let keeper = try Self.keeper(folder.path)
        let harness = NodeHarness(SystemTime(), id: "endpoint")
        harness.link(Prometheus.Port.input)
        let node = try harness.make(Prometheus.self)
        await keeper.restore([LastingMemory(node, Settings(Prometheus.Config()), harness.context)])
        #expect(try folder.names == ["state", "state.endpoint.0", "state.lock"])
        for name in try folder.names {
            let found = try FileManager.default.attributesOfItem(atPath: folder.file(name).path)
            #expect(found[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test func whatCannotBeWrittenIsToldAndTheOneBeforeStays() async throws {
        let folder = try await Self.kept()
        let before = try Data(contentsOf: folder.file())
        let keeper = try Self.keeper(folder.path)
        let (_, memory) = try await Self.node("a", 9)
        try FileManager.default.createDirectory(
            at: folder.file("state.new"),
            withIntermediateDirectories: true
        )
        #expect(await keeper.save([memory], isFinal: false) == .failed)
        #expect(Self.told(keeper)["phoenix_state_saves_total failure"] == 1)
        #expect(try Data(contentsOf: folder.file()) == before)
        try FileManager.default.removeItem(at: folder.file("state.new"))
        #expect(await keeper.save([memory], isFinal: false) == .written)
        #expect(Self.told(keeper)["phoenix_state_saves_total success"] == 1)
        #expect(try Data(contentsOf: folder.file()) != before)
    }
    @Test func aJournalIsBoundedInBytesAndFiles() throws {
        let folder = try Folder()
        let journal = StateJournalFile(folder.path, of: "a", maximumBytes: 10_000)
        // The whole cannot be written: nothing is let go.
        for _ in 0..<20 { try journal.turn() }
        #expect(try folder.names == (0..<8).map { "state.a.\($0)" })
        for _ in 0..<1000 { journal.append { $0.write([UInt8](repeating: 7, count: 100)) } }
        #expect(journal.lost > 800)
        #expect(try Data(contentsOf: folder.file("state.a.7")).count < 10_200)
        try journal.letGo()
        #expect(try folder.names == ["state.a.7"])
        // What the process before left is kept until the whole is there.
        let next = StateJournalFile(folder.path, of: "a")
        try next.turn()
        #expect(
            StateJournalFile.left(folder.path, of: "a").map(\.path)
                == ["7", "0"].map { "\(folder.path).a.\($0)" }
        )
        try next.letGo()
        #expect(try folder.names == ["state.a.0"])
    }
    @Test func aNodeThatIsGoneLeavesNoJournal() async throws {
        let folder = try Folder()
        let keeper = try Self.keeper(folder.path)
        let first = try Self.endpoint("n0")
        await keeper.restore([first])
        #expect(try folder.names == ["state", "state.lock", "state.n0.0"])
        for round in 1...25 {
            let renamed = try Self.endpoint("n\(round)")
            // Nothing is put in place, and then the change may still be undone: the one before needs what it noted.
            #expect(await keeper.save([renamed], isFinal: false) { false } == .overtaken)
            #expect(try folder.names.contains("state.n\(round - 1).0"))
            #expect(await keeper.save([renamed], isFinal: false, parked: ["n\(round - 1)"]) == .written)
            #expect(try folder.names.contains("state.n\(round - 1).0"))
            #expect(await keeper.save([renamed], isFinal: false) == .written)
            let journals = try folder.names.filter { $0 != "state" && $0 != "state.lock" }
            #expect(journals.count == 1)
            #expect(journals.first?.hasPrefix("state.n\(round).") == true)
            // Gone without a heir, and there again.
            let heir = try Self.endpoint("n\(round)")
            #expect(await keeper.save([heir], isFinal: false) == .written)
            #expect(await keeper.save([], isFinal: false) == .written)
            #expect(try folder.names == ["state", "state.lock"])
            #expect(await keeper.save([renamed], isFinal: false) == .written)
            #expect(try folder.names == ["state", "state.lock", "state.n\(round).0"])
        }
        #expect(Self.told(keeper)["phoenix_state_journal_lost_total"] == 0)
    }
    @Test func aJournalThatHasEndedIsGoneAndTakesNothing() throws {
        let folder = try Folder()
        let journal = StateJournalFile(folder.path, of: "a")
        for _ in 0..<3 { try journal.turn() }
        try journal.end()
        #expect(try folder.names.isEmpty)
        journal.append { $0.write(true) }
        #expect(journal.lost == 1)
        #expect(try folder.names.isEmpty)
    }
    @Test func journalsThatNobodyReadsGoOnceTheNextStateIsThere() async throws {
        let folder = try Folder()
        func leave() async throws {
            let keeper = try Self.keeper(folder.path)
            let here = try Self.endpoint("here")
            await keeper.restore([here])
        }
        try await leave()
        let strangers = [
            "state.a.b.0", "state.gone.8", "state.gone.0.old", "state.other.0", "state.other.0.lock",
        ]
        for name in ["state.gone.0", "state.gone.7"] + strangers {
            try Data([1]).write(to: folder.file(name))
        }
        let keeper = try Self.keeper(folder.path)
        let here = try Self.endpoint("here")
        await keeper.restore([here])
        let kept = ["state.gone.0", "state.gone.7", "state.here.0", "state.here.1"]
        #expect(try Set(folder.names).isSuperset(of: kept), "a restart may need them still")
        #expect(await keeper.save([here], isFinal: false) == .written)
        #expect(try folder.names == (["state", "state.here.2", "state.lock"] + strangers).sorted())
    }
    @Test func whatWasSetAsideBeforeStaysWithItsJournals() async throws {
        let folder = try Folder()
        for round in 1...5 {
            for (name, what) in [("state", "damage"), ("state.here.0", "here"), ("state.gone.3", "gone")] {
                try Data("\(what) \(round)".utf8).write(to: folder.file(name))
            }
            let told = try await Self.found(folder.path).told
            #expect(told["phoenix_state_restores_total alien"] == 1)
        }
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: folder.file(name)), as: UTF8.self)
        }
        for (name, round) in [("state.damaged", 5), ("state.damaged-2", 4), ("state.damaged-3", 3)] {
            #expect(try text(name) == "damage \(round)")
            #expect(try text("\(name).here.0") == "here \(round)")
            #expect(try text("\(name).gone.3") == "gone \(round)")
        }
        #expect(try folder.names.count == 2 + 3 * 3)
    }
    @Test func whatMovedMeanwhileIsNotPutInPlace() async throws {
        let folder = try await Self.kept()
        let before = try Data(contentsOf: folder.file())
        let keeper = try Self.keeper(folder.path)
        let (_, memory) = try await Self.node("a", 9)
        #expect(await keeper.save([memory], isFinal: false) { false } == .overtaken)
        #expect(try Data(contentsOf: folder.file()) == before)
        #expect(try folder.names == ["state", "state.lock"])
    }
}
