/// A graph that was not accepted: everything that is wrong with it, in the order of the files.
public struct GraphRefusal: Error, Sendable, CustomStringConvertible {
    public var diagnostics: [Diagnostic]
    /// The files that were read, and those that could not be, so that a watcher knows what to look at.
    public var files: [String]
    /// The texts that the marks point into, by the name that a mark bears.
    public var sources: [String: String]

    public init(_ diagnostics: [Diagnostic], files: [String] = [], sources: [String: String] = [:]) {
        self.diagnostics = diagnostics.inOrder
        (self.files, self.sources) = (files, sources)
    }

    /// All diagnostics, each with the line that it is about and a caret under the place.
    public var description: String {
        let texts = diagnostics.map { $0.rendered(in: sources[$0.mark.file]) }
        let count = diagnostics.count == 1 ? "1 error" : "\(diagnostics.count) errors"
        return (texts + [count]).joined(separator: "\n")
    }
}

extension Diagnostic {
    /// The diagnostic with its source line and a caret under the place.
    public func rendered(in source: String?) -> String {
        guard let source else { return description }
        let lines = source.split(omittingEmptySubsequences: false) { $0.isNewline }
        guard lines.indices.contains(mark.line - 1), mark.column >= 1 else { return description }
        let line = Array(lines[mark.line - 1].unicodeScalars)
        // Of a line that is longer than a window only what stands around the place.
        let first = max(0, min(mark.column - 1, line.count) - Self.mostBefore)
        let last = min(line.count, first + Self.mostOfLine)
        let (head, tail) = (first > 0 ? "…" : "", last < line.count ? "…" : "")
        let shown = head + String(String.UnicodeScalarView(line[first..<last])) + tail
        // Tabs stay tabs, so that the caret stands right however wide the terminal shows them.
        let before = shown.unicodeScalars.prefix(mark.column - 1 - first + head.unicodeScalars.count)
        let indent = String(before.map { $0 == "\t" ? "\t" : " " })
        return "\(description)\n    \(shown)\n    \(indent)^"
    }
    private static var mostOfLine: Int { 200 }
    private static var mostBefore: Int { 120 }
}

extension Array where Element == Diagnostic {
    /// Sorted by place, each problem once.
    public var inOrder: [Diagnostic] {
        var seen: Set<Diagnostic> = []
        return filter { seen.insert($0).inserted }
            .sorted { ($0.mark, $0.message, $0.remedy) < ($1.mark, $1.message, $1.remedy) }
    }
}

extension String {
    fileprivate init(_ characters: [Character]) { self = characters.reduce(into: "") { $0.append($1) } }
}
