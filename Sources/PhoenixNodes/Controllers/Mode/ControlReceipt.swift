import PhoenixModel

/// What became of an order: `ControlResponse` of the control protocol.
struct ControlReceipt: Sendable, Equatable {
    /// False only where the order could not be taken; a mode that held already is a success.
    var success: Bool
    /// What was done, or why not and how to mend it, in words.
    var message: String
    /// The mode that holds now, and the one that held before the order.
    var current: Mode
    var previous: Mode
}
