/// Why a message was placed on no edge.
///
/// Whoever sent it still owns it: nothing was booked downstream.
public struct SendError: Error, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// A reader is gone for good.
        case ended
        /// There was no room on every edge within the time given.
        case deadline
    }
    public var code: Code
    /// The output port, `node.port`.
    public var port: String
    public init(_ code: Code, port: String) { (self.code, self.port) = (code, port) }
    public var description: String {
        switch code {
        case .ended: "\(port): a linked node takes nothing more; send again once the graph is relinked"
        case .deadline:
            "\(port): a linked node had no room in time; send again later, or speed up what is downstream"
        }
    }
}
