/// A graph file that is wrong on purpose: each bad line ends in `# error: <message>`, and loading it must say exactly
/// these messages on exactly these lines.
///
/// Two mistakes in one line are written behind each other: `# error: one # error: another`. Comments at the head may say
/// how it is loaded: `# env: staging`, `# set: node.setting=value`, `# variable: NAME=value`.
public struct BrokenGraph: Sendable {
    public var path: String
    public var environment: String?
    public var sets: [String] = []
    public var variables: [String: String] = [:]

    /// What a diagnostic is expected to say, and where.
    public struct Expectation: Hashable, Sendable, Comparable, CustomStringConvertible {
        public var file: String
        public var line: Int
        public var message: String
        public static func < (left: Self, right: Self) -> Bool {
            (left.file, left.line, left.message) < (right.file, right.line, right.message)
        }
        public var description: String { "\(file):\(line): \(message)" }
    }

    /// Reads how the graph is to be loaded out of its comments.
    public init(path: String, text: String) {
        self.path = path
        for line in text.split(whereSeparator: \.isNewline) {
            if let name = Self.directive("env", line) { environment = name }
            if let set = Self.directive("set", line) { sets.append(set) }
            if let variable = Self.directive("variable", line)?.split(separator: "=", maxSplits: 1),
                variable.count == 2
            {
                variables[String(variable[0])] = String(variable[1])
            }
        }
    }

    private static func directive(_ name: String, _ line: Substring) -> String? {
        guard line.hasPrefix("# \(name): ") else { return nil }
        let text = line.dropFirst(name.count + 4)
        let end = text.firstRange(of: "# error: ")?.lowerBound ?? text.endIndex
        return String(text[..<end].reversed().drop { $0 == " " }.reversed())
    }

    /// The messages that a text expects, by its lines.
    public static func expectations(in text: String, file: String) -> [Expectation] {
        text.split(omittingEmptySubsequences: false) { $0.isNewline }.enumerated().flatMap { index, line in
            let parts = line.split(separator: "# error: ", omittingEmptySubsequences: false).dropFirst()
            return parts.map { part in
                let message = String(part.reversed().drop { $0 == " " }.reversed())
                return Expectation(file: file, line: index + 1, message: message)
            }
        }
    }

    /// Loads the graph and tells how what was said differs from what was expected; empty where it does not.
    public func mismatches(_ loader: GraphLoader) -> [String] {
        var loader = loader
        loader.variables.merge(variables) { _, new in new }
        do throws(GraphRefusal) {
            let loaded = try loader.load(path: path, environment: environment, sets: sets)
            return ["\(path): was accepted as the graph `\(loaded.graph.name)`"]
        } catch {
            var expected = error.sources.flatMap { Self.expectations(in: $1, file: $0) }
            // What stands on the command line is expected where the file says so.
            for source in ["--env", "--set"] where error.sources[source] != nil {
                expected.removeAll { $0.file == source }
                let heads = error.sources[path].map { text in
                    Self.expectations(in: text, file: path).filter { expectation in
                        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
                        return lines[expectation.line - 1].hasPrefix("# \(source.dropFirst(2)): ")
                    }
                }
                for (index, head) in (heads ?? []).enumerated() {
                    expected.removeAll { $0 == head }
                    expected.append(Expectation(file: source, line: index + 1, message: head.message))
                }
            }
            var mismatches: [String] = []
            for diagnostic in error.diagnostics {
                let said = Expectation(
                    file: diagnostic.mark.file,
                    line: diagnostic.mark.line,
                    message: diagnostic.message
                )
                if let index = expected.firstIndex(of: said) {
                    expected.remove(at: index)
                } else {
                    mismatches.append("not expected: \(diagnostic)")
                }
            }
            return mismatches + expected.sorted().map { "not said: \($0)" }
        }
    }
}
