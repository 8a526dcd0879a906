public import PhoenixGraph
public import PhoenixModel

/// Written in graph files as `sum`, `avg`, `min`, `max` or `last`.
extension GaugeMerge: ChoiceValue {}
