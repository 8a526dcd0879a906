import PhoenixModel
import PhoenixRuntime

/// What a node that changes identities remembers at one moment, to be written while it goes on.
struct RelabelingPicture: StatePicture {
    let mode: Mode?
    let epoch: UInt64
    let sums: ReaggregatorPicture

    func write(to writer: inout StateWriter) throws {
        writer.write(mode?.rawValue ?? "")
        writer.write(epoch)
        try sums.write(to: &writer)
    }
}

extension RelabelingMemory {
    var picture: RelabelingPicture {
        RelabelingPicture(mode: mode, epoch: epoch, sums: reaggregator.picture())
    }
    /// Takes what a picture wrote into a memory that is new. The settings may be others than then: every input is asked
    /// anew where it goes.
    func read(from reader: inout StateReader, now: UInt64) throws {
        let mode = Mode(rawValue: try reader.text())
        let epoch = try reader.number()
        try reaggregator.read(from: &reader)
        begin(in: mode, epoch: epoch)
        if plan.program.merging != .always { setAside() }
        reaggregator.beginRemap(now: now)
    }
    /// Has inputs move as was noted after the picture that was read. Throws where the journal breaks off: what came before
    /// counts.
    func read(journal reader: inout StateReader) throws {
        while true { try reaggregator.readMoves(from: &reader) }
    }
}

extension RelabelingState: IdentityMemory {
    func note(in journal: any StateJournal) { withMemory { $0.note(in: journal) } }
    func read(journal reader: inout StateReader) throws {
        try withThrowingMemory { memory in try memory.read(journal: &reader) }
    }
    var picture: any StatePicture { withMemory { $0.picture } }

    static func read(
        from reader: inout StateReader,
        _ programs: Programs<Program>,
        _ context: NodeContext
    ) throws -> RelabelingState {
        let state = RelabelingState(programs, context)
        try state.read(from: &reader, now: context.time.unixNanoseconds)
        return state
    }
    private func read(from reader: inout StateReader, now: UInt64) throws {
        try withThrowingMemory { try $0.read(from: &reader, now: now) }
    }
}
