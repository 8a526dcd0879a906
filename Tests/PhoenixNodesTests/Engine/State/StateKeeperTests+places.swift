import Foundation
import Logging
import PhoenixModel
import Testing

@testable import PhoenixNodes
@testable import PhoenixRuntime

/// What stands in the way of a state, at its place and at the ends of the process: it is told as it is, and nobody's is lost.
extension StateKeeperTests {
    /// A process that goes on from what is kept, and is gone after that.
    private static func process(
        _ path: String,
        _ body: (StateKeeper) async throws -> Void = { _ in }
    ) async throws -> WrittenLog {
        let log = WrittenLog()
        let keeper = try keeper(path, Logger(label: "test") { _ in log })
        await keeper.restore([try await node("a").1])
        try await body(keeper)
        return log
    }
    private static func makeDirectory(_ url: URL) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    // MARK: The beginning

    @Test func aKillBeforeTheFirstWritingIsNoEndInOrder() async throws {
        let folder = try await Self.kept()
        let before = try Data(contentsOf: folder.file())
        let first = try await Self.process(folder.path)
        #expect(first.tells("the kept state goes on") && !first.tells("did not end in order"))
        let after = try Data(contentsOf: folder.file())
        // Its head is another: a few bytes, however long it is.
        #expect(after != before)
        #expect(after.dropFirst(31) == before.dropFirst(31))
        let second = try await Self.process(folder.path)
        #expect(second.tells("did not end in order"))
        #expect(try await Self.found(folder.path).version == 7)
    }
    @Test func aStartThatFailsIsNoLoss() async throws {
        let folder = try Folder()
        _ = try await Self.process(folder.path) { await $0.neverRan() }
        for _ in 0..<2 {
            let log = try await Self.process(folder.path) { await $0.neverRan() }
            #expect(log.tells("the kept state goes on") && !log.tells("did not end in order"))
        }
        // What a process lost before is told until one ran.
        _ = try await Self.process(folder.path)
        for _ in 0..<2 {
            let log = try await Self.process(folder.path) { await $0.neverRan() }
            #expect(log.tells("did not end in order"))
        }
    }
    @Test func whatCannotBeSetAsideIsNotWrittenOver() async throws {
        let folder = try Folder()
        let damage = Data("damage".utf8)
        try damage.write(to: folder.file())
        // None of these is a file that could make way.
        let names = ["state.damaged", "state.damaged-2", "state.damaged-3"]
        for name in names { try Self.makeDirectory(folder.file(name)) }
        let (_, memory) = try await Self.node("a", 9)
        let log = try await Self.process(folder.path) { keeper in
            #expect(Self.told(keeper)["phoenix_state_saves_total failure"] == 1)
            #expect(await keeper.save([memory], isFinal: false) == .failed)
            #expect(try Data(contentsOf: folder.file()) == damage)
            try FileManager.default.removeItem(at: folder.file("state.damaged-3"))
            #expect(await keeper.save([memory], isFinal: false) == .written)
        }
        #expect(log.tells("could not be set aside", "cannot remove `\(folder.path).damaged-3`: "))
        #expect(log.tells("notice what could not be read was set aside under `\(folder.path).damaged`"))
        #expect(!log.tells("counters begin anew; it was set aside"))
        #expect(try Data(contentsOf: folder.file("state.damaged")) == damage)
        #expect(try await Self.found(folder.path).version == 9)
    }
    @Test func whoseItIsIsToldWhereItMayNotBeTouched() {
        let denied = StateFile.Failure(what: "replace", path: "/", code: EPERM)
        let user = geteuid()
        #expect("\(denied)".hasPrefix("cannot replace `/`: Operation not permitted; "))
        #expect(
            user == 0
                ? "\(denied)".contains("let user 0, as whom this process runs, read and write it")
                : "\(denied)".contains("it belongs to user 0, and this process runs as user \(user)")
        )
    }

    // MARK: The end

    @Test func aLossAtTheEndIsNamed() async throws {
        let folder = try await Self.kept()
        let (_, memory) = try await Self.node("a", 9)
        let log = try await Self.process(folder.path) { keeper in
            try Self.makeDirectory(folder.file("state.new"))
            #expect(await keeper.save([memory], isFinal: true) == .failed)
        }
        #expect(log.tells("the process ends, and the state was not written; increments", " written=20"))
        #expect(!log.tells("it is tried again"))
        #expect(try await Self.found(folder.path).version == 7)
    }
    @Test func aLossAtTheEndIsNamedWhereNothingWasEverWritten() async throws {
        let folder = try Folder()
        try Self.makeDirectory(folder.file("state.new"))
        let log = try await Self.process(folder.path) { keeper in
            #expect(await keeper.save([], isFinal: true) == .failed)
        }
        #expect(
            log.tells(
                "the process ends",
                "nothing was written before: all increments are lost",
                "written=never"
            )
        )
    }

    // MARK: The place

    @Test func aPathWhoseLockWasRemovedIsNotShared() async throws {
        let folder = try await Self.kept()
        let (_, memory) = try await Self.node("a", 9)
        let log = try await Self.process(folder.path) { first in
            try FileManager.default.removeItem(at: folder.file("state.lock"))
            _ = try await Self.process(folder.path) { _ in
                let others = try Data(contentsOf: folder.file())
                try Data("a draft of the other".utf8).write(to: folder.file("state.new"))
                #expect(await first.save([memory], isFinal: false) == .failed)
                #expect(try Data(contentsOf: folder.file()) == others)
                #expect(try folder.names == ["state", "state.lock", "state.new"])
            }
            // The other one has ended.
            #expect(await first.save([memory], isFinal: false) == .written)
            #expect(throws: StateFile.InUse.self) { try Self.keeper(folder.path) }
        }
        #expect(
            log.tells("state.lock` was removed while this process ran, and another process keeps its state")
        )
    }
    @Test func aDirectoryThatWasMadeAnewIsTakenAgain() async throws {
        let folder = try await Self.kept()
        let (_, memory) = try await Self.node("a", 9)
        let log = try await Self.process(folder.path) { keeper in
            try FileManager.default.removeItem(at: folder.url)
            #expect(await keeper.save([memory], isFinal: false) == .failed)
            try Self.makeDirectory(folder.url)
            #expect(await keeper.save([memory], isFinal: false) == .written)
            #expect(try folder.names == ["state", "state.lock"])
            #expect(throws: StateFile.InUse.self) { try Self.keeper(folder.path) }
        }
        #expect(log.tells("make its directory"))
        #expect(try await Self.found(folder.path).version == 9)
    }
    @Test func aLinkStaysAndAllLiesBesideTheFile() async throws {
        let folder = try Folder()
        try Self.makeDirectory(folder.file("large"))
        let (_, memory) = try await Self.node("a", 9)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path,
            withDestinationPath: "large/state"
        )
        _ = try await Self.process(folder.path) { keeper in
            #expect(await keeper.save([memory], isFinal: true) == .written)
            // By whichever way it is found, it is taken.
            #expect(throws: StateFile.InUse.self) { try Self.keeper(folder.file("large/state").path) }
        }
        #expect(try folder.names == ["large", "state"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path) == "large/state")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("large").path).count == 2)
        #expect(try await Self.found(folder.path).version == 9)
    }
    @Test func aLinkThatIsMadeMeanwhileIsFollowed() async throws {
        let folder = try await Self.kept()
        let (_, memory) = try await Self.node("a", 9)
        _ = try await Self.process(folder.path) { keeper in
            try FileManager.default.moveItem(at: folder.file(), to: folder.file("moved"))
            try FileManager.default.createSymbolicLink(atPath: folder.path, withDestinationPath: "moved")
            #expect(await keeper.save([memory], isFinal: true) == .written)
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path) == "moved")
        #expect(try folder.names == ["moved", "state", "state.lock"])
        #expect(try await Self.found(folder.file("moved").path).version == 9)
    }
    @Test func whatIsNoRegularFileIsNotMovedAway() async throws {
        let folder = try Folder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path,
            withDestinationPath: "/dev/null"
        )
        #expect {
            try Self.keeper(folder.path)
        } throws: {
            "\($0)".contains("`/dev/null` is no regular file; name one")
        }
        try FileManager.default.removeItem(at: folder.file())
        let log = try await Self.process(folder.path) { keeper in
            try FileManager.default.removeItem(at: folder.file())
            try FileManager.default.createSymbolicLink(
                atPath: folder.path,
                withDestinationPath: "/dev/null"
            )
            #expect(await keeper.save([], isFinal: false) == .failed)
        }
        #expect(log.tells("`/dev/null` is no regular file"))
    }
}

extension WrittenLog {
    /// Whether one line says all of it.
    fileprivate func tells(_ parts: String...) -> Bool {
        lines.withLock { lines in lines.contains { line in parts.allSatisfy { line.contains($0) } } }
    }
}
