/// Something the server noticed and could not tell a handler.
///
/// For counters and logs.
public enum HTTPEvent: Sendable, Equatable {
    /// More connections than allowed: this one was closed at once.
    case connectionLimit
    /// Not HTTP, or HTTP that we do not take; says what.
    case malformed(String)
    /// The head was larger than the limit.
    case headTooLarge
    /// A connection was closed because it was too slow; says at what.
    case timeout(Timeout)
    /// A peer broke a rule of HTTP/2 or misused it, and was sent away; says how.
    case protocolError(String)
    /// A handler answered twice.
    case answeredTwice
    /// A handler let go of a request without an answer.
    case unanswered
    /// A body stream failed half way.
    case bodyFailed
    /// Accepting a connection failed; for want of what, and the system's words.
    case acceptFailed(AcceptFailure, String)

    /// What took too long.
    public enum Timeout: Sendable { case idle, head, request, handler, write, drain }
    /// What lacked when a connection was to be accepted; of the first two the next one would lack as well.
    public enum AcceptFailure: Sendable {
        /// File descriptors, of the process or of the whole system.
        case descriptors
        /// Memory of the kernel.
        case memory
        /// Nothing: the connection was gone already, for instance.
        case other
    }
}
