public import PhoenixModel

/// The receiving end of an input port.
///
/// Its end is the order to finish. One reader at a time. The message last given stays *in hand* until the next is
/// asked for: should `run` throw meanwhile, the next run gets it again, and a message that throws twice is set aside
/// and counted. A node that has booked a message and may still throw calls `settle()`.
public struct Inlet<Content: Message>: AsyncSequence, Sendable {
    let queue: InletQueue<Content>
    public init(_ queue: InletQueue<Content>) { self.queue = queue }

    /// The messages as an `AsyncStream`, a fresh one for each run of the node.
    ///
    /// To cancel it ends this stream only, and leaves the queue and what it holds to the next run.
    public var messages: AsyncStream<Content> {
        queue.beginReading()
        let queue = queue
        return AsyncStream(unfolding: { await queue.next() })
    }

    /// The messages without the stream between: the same promises, at a third of the cost.
    public func makeAsyncIterator() -> AsyncIterator {
        queue.beginReading()
        return AsyncIterator(queue: queue)
    }

    /// Books the message in hand: it is not given again, whatever is thrown afterwards.
    public func settle() { queue.settle() }
    /// Whether nothing is left to read and nothing can come.
    public var isDrained: Bool { queue.isDrained }
    /// How many messages wait.
    public var count: Int { queue.count }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let queue: InletQueue<Content>
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Content? {
            await queue.next()
        }
        public mutating func next() async -> Content? { await queue.next() }
    }
}
