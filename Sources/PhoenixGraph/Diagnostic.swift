/// A place in a file: lines and columns count from 1.
public struct Mark: Hashable, Sendable, Comparable {
    public var file: String
    public var line: Int
    public var column: Int
    public init(file: String, line: Int, column: Int) {
        (self.file, self.line, self.column) = (file, line, column)
    }
    public static func < (left: Self, right: Self) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

/// What the author of a graph file must mend: where it is, what is wrong, what would be right.
public struct Diagnostic: Error, Hashable, Sendable, CustomStringConvertible {
    public var mark: Mark
    public var message: String
    public var remedy: String
    public init(at mark: Mark, _ message: String, mend remedy: String) {
        (self.mark, self.message, self.remedy) = (mark, message, remedy)
    }
    public var description: String {
        "\(mark.file):\(mark.line):\(mark.column): error: \(message); \(remedy)"
    }
}
