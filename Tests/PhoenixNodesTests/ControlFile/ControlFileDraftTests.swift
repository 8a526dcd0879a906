import PhoenixModel
import Testing

@testable import PhoenixNodes

@Suite struct ControlFileDraftTests {
    private static func change(_ mode: Mode, _ version: UInt64) -> ModeChange {
        ModeChange(
            mode,
            because: "r",
            correlationID: "c-\(version)",
            version: version,
            timeUnixNano: version * 1_000_000
        )
    }
    private static func write(_ draft: inout ControlFileDraft, at now: UInt64 = 0) -> ControlFile? {
        let file = draft.file(at: now)
        if let file { draft.noteWritten(file) }
        return file
    }

    @Test func versionsGoOnFromTheFile() {
        var draft = ControlFileDraft()
        var found = ControlFile(.balanced)
        found.version = 41
        let edit1 = draft.see(found, isTold: false)
        #expect(edit1)
        draft.ask(Self.change(.aggressive, 1))
        #expect(Self.write(&draft)?.version == 42)
        draft.ask(Self.change(.balanced, 2))
        #expect(Self.write(&draft)?.version == 43)
        draft.ask(Self.change(.balanced, 50))
        #expect(Self.write(&draft)?.version == 50)
        #expect(Self.write(&draft) == nil)
    }

    @Test func whatIsDecidedDuringAWriteIsWrittenAfterIt() throws {
        var draft = ControlFileDraft()
        draft.ask(Self.change(.aggressive, 1))
        let file = try #require(draft.file(at: 0))
        draft.ask(Self.change(.balanced, 2))
        draft.noteWritten(file)
        let next = try #require(Self.write(&draft))
        #expect(next.mode == .balanced && next.version == 2)
        #expect(!draft.isPending)
    }

    @Test func whatStandsThereIsNotWrittenAgain() throws {
        var draft = ControlFileDraft()
        var other = ControlFileDraft()
        draft.ask(Self.change(.aggressive, 7))
        let file = try #require(Self.write(&draft))
        // Another process after this one: its controller goes on from the file.
        let edit2 = other.see(try ControlFile(file.text, file: "f"), isTold: true)
        #expect(edit2)
        other.ask(Self.change(.aggressive, 7))
        #expect(!other.isPending)
    }

    @Test func aFileThatWasRemovedIsWrittenAgain() throws {
        var draft = ControlFileDraft()
        let early = draft.noteMissing()
        #expect(!early && !draft.isPending, "nothing was decided yet")
        draft.ask(Self.change(.aggressive, 7))
        let file = try #require(Self.write(&draft))
        let isWritten = draft.noteMissing()
        #expect(isWritten)
        let again = try #require(Self.write(&draft, at: 5))
        #expect(again.mode == .aggressive && again.correlationID == file.correlationID)
        #expect(again.version == file.version + 1)
        #expect(again.changedUnixNano == file.changedUnixNano)
        #expect(!draft.isPending)
    }

    @Test(arguments: [true, false]) func anEditOfTheModeAloneGetsItsMoment(keepsMoment: Bool) throws {
        var draft = ControlFileDraft()
        draft.ask(Self.change(.aggressive, 7))
        var edit = try #require(Self.write(&draft)).asRead
        edit.mode = .balanced
        if !keepsMoment { edit.changedUnixNano = 8_000_000 }
        let isEdit = draft.see(edit, isTold: true)
        #expect(isEdit)
        draft.ask(Self.change(.balanced, 9))
        let file = try #require(Self.write(&draft))
        #expect(file.changedUnixNano == (keepsMoment ? 9_000_000 : 8_000_000))
        draft.ask(Self.change(.balanced, 10))
        #expect(Self.write(&draft)?.changedUnixNano == file.changedUnixNano, "the mode stayed")
    }

    /// The first decision comes before anything is counted.
    @Test func theCountsAreAddedOnceTheyAreKnown() throws {
        func counted(_ full: Double, _ optimized: Double) -> Observation {
            let counts = [PipelineName.full: full, PipelineName.optimized: optimized]
            let readings = counts.map { pipeline, count in
                Observation.Reading(ControlReadings.pipelineSeries, count, [KPIName.pipelineLabel: pipeline])
            }
            return Observation(source: "control", timeUnixNano: 0, readings: readings)
        }
        var draft = ControlFileDraft()
        draft.note(counted(0, 0))
        draft.ask(Self.change(.conservative, 1))
        let first = try #require(Self.write(&draft))
        #expect(first.metrics.full == 0)
        draft.note(counted(4_500, 0))
        #expect(!draft.isPending)
        draft.note(counted(4_500, 3_402))
        let second = try #require(Self.write(&draft))
        #expect((second.metrics.full, second.metrics.optimized) == (4_500, 3_402))
        #expect((second.version, second.correlationID) == (2, first.correlationID))
        #expect(second.changedUnixNano == first.changedUnixNano)
        draft.note(counted(9_000, 3_402))
        #expect(!draft.isPending, "counts alone are no reason to write again")
        // A hand edit that nobody is told of holds until the next decision: counts are none.
        var edited = ControlFileDraft()
        edited.ask(Self.change(.conservative, 1))
        _ = try #require(Self.write(&edited))
        edited.note(counted(4_500, 3_402))
        let isEdit = edited.see(ControlFile(.aggressive), isTold: false)
        #expect(isEdit)
        #expect(!edited.isPending)
    }

    @Test func ownWritesAreNoEdits() throws {
        var draft = ControlFileDraft()
        draft.ask(Self.change(.aggressive, 7))
        let file = try #require(Self.write(&draft, at: 1_767_225_600_123_456_789))
        let edit3 = draft.see(try ControlFile(file.text, file: "f"), isTold: true)
        #expect(!edit3)
    }

    @Test func anEditIsNotWrittenOverByWhatWasDecidedBefore() throws {
        var draft = ControlFileDraft()
        draft.ask(Self.change(.aggressive, 7))
        var edit = ControlFile(.conservative)
        edit.version = 9
        let edit4 = draft.see(edit, isTold: true)
        #expect(edit4)
        #expect(Self.write(&draft) == nil)
        draft.ask(Self.change(.conservative, 10))
        #expect(Self.write(&draft)?.version == 10)
    }

    @Test func theProfileChangesWhenItChanges() throws {
        var draft = ControlFileDraft()
        draft.ask(Self.change(.aggressive, 7))
        _ = Self.write(&draft)
        draft.ask(Self.change(.aggressive, 8))
        #expect(Self.write(&draft)?.changedUnixNano == 7_000_000)
        draft.ask(Self.change(.balanced, 9))
        #expect(Self.write(&draft)?.changedUnixNano == 9_000_000)
    }
}
