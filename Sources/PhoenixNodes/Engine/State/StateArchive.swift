import PhoenixModel
import PhoenixRuntime

/// The memories of a graph's nodes in one file: a head, and a section for each node.
final class StateArchive: Sendable {
    /// What was read.
    struct Contents: Sendable {
        var head: StateHead
        var states: [(node: LastingMemory, state: any Sendable)] = []
        /// The sections that no node of now reads, with the reason.
        var unread: [String] = []
    }
    private let file: StateFile
    private let draft: StateFile.Draft
    private let writer: Lock<StateWriter>

    init(_ file: StateFile, _ head: StateHead) throws {
        let draft = try file.makeDraft()
        (self.file, self.draft) = (file, draft)
        var writer = try StateWriter { try draft.append($0) }
        try head.write(to: &writer)
        self.writer = Lock(writer)
    }
    func write(_ node: LastingMemory, _ picture: any StatePicture) throws {
        try writer.withLock { writer in
            try writer.beginSection()
            for text in [node.id, node.type.role.rawValue, node.type.name] { writer.write(text) }
            writer.write(node.version)
            try picture.write(to: &writer)
        }
    }
    /// Ends the file and puts it in its place, unless `check` throws, which is asked last; answers its length.
    func finish(_ check: () throws -> Void) throws -> Int {
        let bytes = try writer.withLock { writer in
            try writer.finish()
            return writer.byteCount
        }
        try file.commit(draft, check)
        return bytes
    }

    /// Reads what the nodes remembered. All or nothing: throws unless every frame is whole and every section that a node
    /// wants makes sense. One that no node wants, or that is of another version, is named in `unread`.
    ///
    /// - Parameter journals: the files that a node noted in after the rest was written.
    static func read(
        _ nodes: [LastingMemory],
        _ source: () throws -> StateReader.Source,
        journals: (LastingMemory) -> [StateFile] = { _ in [] }
    ) throws -> Contents {
        try StateReader.verify(try source())
        var reader = try StateReader(try source())
        var contents = Contents(head: try StateHead.read(&reader))
        while try reader.nextSection() {
            let (id, role, type) = (try reader.text(), try reader.text(), try reader.text())
            let version = try reader.number32()
            guard let node = nodes.first(where: { $0.id == id }) else {
                contents.unread.append("\(id): the graph has no such node")
                continue
            }
            guard node.type.role.rawValue == role, node.type.name == type else {
                contents.unread.append("\(id): it was \(role) \(type), and is \(node.type)")
                continue
            }
            guard node.version == version else {
                contents.unread.append("\(id): it was written in version \(version), read is \(node.version)")
                continue
            }
            let state = try node.read(&reader)
            for file in journals(node) { node.journal?.add(file, to: state) }
            contents.states.append((node, state))
        }
        return contents
    }
}

extension LastingMemory.Journal {
    /// Adds what a journal says, up to where it breaks off: it was being written when the process ended.
    func add(_ file: StateFile, to state: any Sendable) {
        do {
            var reader = try StateReader(try file.source())
            guard try reader.nextSection() else { return }
            try read(&reader, state)
        } catch {
            // What came before is whole: each frame is checked before it is read.
            return
        }
    }
}
