/// How much a pipeline reduces, from least to most.
public enum Mode: String, Sendable, Hashable, CaseIterable, Comparable {
    case conservative, balanced, aggressive

    /// The position in the order of reduction: 0 reduces least.
    public var rank: Int {
        switch self {
        case .conservative: 0
        case .balanced: 1
        case .aggressive: 2
        }
    }
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// The operating point that a controller asks of the nodes that follow it.
public struct ModeChange: Message, Equatable {
    public static let kind = MessageKind.mode
    /// The mode from now on.
    public var mode: Mode
    /// Why, for a human.
    public var reason: String
    /// Names the decision wherever it shows: logs, the control file, `phoenix_control_info`.
    public var correlationID: String
    /// Grows by one with each decision of a controller.
    public var version: UInt64
    /// When it was decided, in nanoseconds since 1970.
    public var timeUnixNano: UInt64
    /// Which pipelines are exposed, by name; a pipeline that is absent is exposed. Gates exposure only.
    public var exposure: [String: Bool]

    public init(
        _ mode: Mode,
        because reason: String,
        correlationID: String = "",
        version: UInt64 = 0,
        timeUnixNano: UInt64 = 0,
        exposure: [String: Bool] = [:]
    ) {
        (self.mode, self.reason, self.correlationID) = (mode, reason, correlationID)
        (self.version, self.timeUnixNano, self.exposure) = (version, timeUnixNano, exposure)
    }
    public var byteCount: Int { 128 + reason.utf8.count + correlationID.utf8.count }
}
