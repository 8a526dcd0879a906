/// What the engine gives a node besides its settings.
public struct NodeContext: Sendable {}
