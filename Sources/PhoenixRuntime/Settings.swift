public import PhoenixGraph
public import PhoenixModel

/// A node's settings in every mode: what was written, and what each mode makes of it.
public struct Settings<Config: NodeConfig>: Sendable, Equatable {
    /// The settings while no controller has spoken.
    public var base: Config
    /// The whole settings of the modes that change any; each was decoded and validated at load.
    public var modes: [Mode: Config]
    public init(_ base: Config, modes: [Mode: Config] = [:]) { (self.base, self.modes) = (base, modes) }
    /// The settings that hold in a mode.
    public subscript(mode: Mode?) -> Config { mode.flatMap { modes[$0] } ?? base }
}
