/// Where a node notes what it told the world since its memory was last written, so that the next process tells no less.
public protocol StateJournal: AnyObject, Sendable {
    /// Appends what `body` writes, before it returns. Never fails its caller: what cannot be written is counted, and left.
    func append(_ body: (inout StateWriter) throws -> Void)
}
