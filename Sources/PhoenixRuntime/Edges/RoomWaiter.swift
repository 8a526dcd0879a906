import PhoenixModel

/// What a sender that waited for room is told.
enum Passage: Sendable, Equatable {
    /// The queue has taken the message that waited with its sender.
    case delivered
    /// There is room: the sender may place one message here, even should another have filled the room meanwhile.
    case granted
    /// The sender's edges were changed: look again.
    case moved
    /// The queue takes nothing more.
    case ended
    /// The sender's task was cancelled.
    case cancelled
}

/// A sender in the line before a full queue.
struct RoomWaiter<Content: Message>: Sendable {
    /// Whom to wake: a task, or an event loop that must not wait.
    enum Wake: Sendable {
        case task(CheckedContinuation<Passage, Never>)
        case callback(@Sendable (Passage) -> Void)
    }
    /// The outlet that sends.
    let owner: ObjectIdentifier
    let bytes: Int
    /// Placed in the queue by its reader as soon as there is room; nil where the sender must first have room on
    /// other edges too.
    let message: Content?
    let wake: Wake

    func resume(_ passage: Passage) {
        switch wake {
        case .task(let continuation): continuation.resume(returning: passage)
        case .callback(let callback): callback(passage)
        }
    }
}
