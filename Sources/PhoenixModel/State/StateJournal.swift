/// Where a node notes what came to be known since its memory was last written.
public protocol StateJournal: AnyObject, Sendable {
    /// Appends what `body` writes, before it returns. Never fails its caller: what cannot be written is counted, and left.
    func append(_ body: (inout StateWriter) throws -> Void)
}
