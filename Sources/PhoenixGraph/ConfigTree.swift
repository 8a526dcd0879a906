/// A setting as it was written, with its place: scalars are text until a `Field` gives them a type.
public struct ConfigTree: Sendable {
    public indirect enum Value: Sendable {
        case null
        /// The text of a scalar after substitution; `isPlain` is false where it was quoted.
        case scalar(String, isPlain: Bool)
        case list([ConfigTree])
        /// In the order of the file; keys are unique.
        case map([Entry])
    }
    public struct Entry: Sendable {
        public var key: String
        public var keyMark: Mark
        public var value: ConfigTree
        public init(key: String, keyMark: Mark, value: ConfigTree) {
            (self.key, self.keyMark, self.value) = (key, keyMark, value)
        }
    }
    public var value: Value
    public var mark: Mark
    /// What stands in the file, where something was put in its place: a diagnostic shows this and never a secret.
    public var written: String?
    /// The same where it is a secret: the variables and files that it is made of, and `***` for each text between them and
    /// each default.
    public var writtenMasked: String? { written.map { Substitution.masked($0) } }
    public init(_ value: Value, at mark: Mark) { (self.value, self.mark) = (value, mark) }
    /// The variables and files that it is made of, as they may be shown; nil where there are none.
    var source: String? { writtenMasked.flatMap { $0.contains("${") ? $0 : nil } }
}

/// Equality is of what is said, not of where or how it is laid out: moving a node or a comment is no change.
extension ConfigTree: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        switch (left.value, right.value) {
        case (.null, .null): true
        case (.scalar(let left, _), .scalar(let right, _)): left == right
        case (.list(let left), .list(let right)): left == right
        case (.map(let left), .map(let right)):
            left.count == right.count
                && left.allSatisfy { entry in
                    right.contains { $0.key == entry.key && $0.value == entry.value }
                }
        default: false
        }
    }
}
