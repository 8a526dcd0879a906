public import PhoenixGraph

/// A regular expression that matches a whole text, as Prometheus' relabelling wants it.
///
/// The syntax is that of `Pattern`. Groups are numbered as they are written; a lazy repetition would divide a text among
/// groups in a way that POSIX matching cannot, so the two together are refused.
public struct RelabelPattern: FieldValue, Hashable {
    /// As it was written.
    public let source: String
    private let pattern: Pattern
    /// Where the written groups are among those of the pattern.
    private let groups: [Int]

    /// Throws `PatternError` with the reason in words.
    public init(_ source: String) throws(PatternError) {
        let ignoresCase = source.hasPrefix("(?i)")
        let body = ignoresCase ? source.dropFirst(4) : source[...]
        pattern = try Pattern("\(ignoresCase ? "(?i)" : "")^(?:\(body))$")
        self.source = source
        let (groups, isLazy) = Self.scan(body)
        guard !isLazy || groups.isEmpty else {
            throw PatternError(
                reason: "a lazy repetition such as `+?` beside a group is not supported",
                remedy: "say what the group may hold, as in `([^:]+)`"
            )
        }
        self.groups = groups
    }
    private init(verified pattern: Pattern, _ source: String, groups: [Int]) {
        (self.pattern, self.source, self.groups) = (pattern, source, groups)
    }

    /// The groups that capture, counted with those that do not: the first is what holds the whole.
    private static func scan(_ body: Substring) -> (groups: [Int], isLazy: Bool) {
        var (groups, count, isLazy): ([Int], Int, Bool) = ([], 1, false)
        var (rest, last, isBracket): (Substring, Character, Bool) = (body, " ", false)
        while let character = rest.popFirst() {
            defer { last = character }
            switch character {
            case "\\": rest = rest.dropFirst()
            case "[" where !isBracket:
                isBracket = true
                if rest.first == "^" { rest.removeFirst() }
                // A bracket that comes first stands for itself.
                if rest.first == "]" { rest.removeFirst() }
            case "[" where rest.first == ":":
                // A class such as `[:alpha:]` ends by a bracket of its own.
                if let end = rest.firstIndex(of: "]") { rest = rest[rest.index(after: end)...] }
            case "]": isBracket = false
            case "(" where !isBracket:
                count += 1
                if rest.hasPrefix("?:") {
                    rest = rest.dropFirst(2)
                } else {
                    groups.append(count)
                }
            case "?" where !isBracket: if "*+?}".contains(last) { isLazy = true }
            default: continue
            }
        }
        return (groups, isLazy)
    }

    /// Whether it matches the whole text.
    func matches(_ text: String) -> Bool { pattern.matches(text) }
    /// The whole text and its groups, in order; nil where it does not match.
    func groups(in text: String) -> [String]? {
        pattern.groups(in: text).map { found in
            [text] + groups.map { $0 < found.count ? found[$0] ?? "" : "" }
        }
    }
    /// A template with `$1`, `${1}` and `$$` replaced; a group that there is not is empty (Go's `Regexp.Expand`).
    static func expand(_ template: String, _ groups: [String]) -> String {
        guard template.contains("$") else { return template }
        var (result, rest) = ("", template[...])
        while let character = rest.popFirst() {
            guard character == "$" else {
                result.append(character)
                continue
            }
            if rest.first == "$" {
                rest.removeFirst()
                result.append("$")
                continue
            }
            let isBraced = rest.first == "{"
            let name = rest.dropFirst(isBraced ? 1 : 0).prefix {
                $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")
            }
            guard !name.isEmpty, !isBraced || rest[name.endIndex...].first == "}" else {
                result.append("$")
                continue
            }
            rest = isBraced ? rest[name.endIndex...].dropFirst() : rest[name.endIndex...]
            if let number = Int(name), groups.indices.contains(number) { result += groups[number] }
        }
        return result
    }

    public static func == (left: Self, right: Self) -> Bool { left.source == right.source }
    public func hash(into hasher: inout Hasher) { hasher.combine(source) }
    public var text: String { source }
    public static var shape: Shape { .string(format: "regex") }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let text = tree.scalar(expected: "a regular expression", example: "(.*)", &report) else {
            return nil
        }
        do throws(PatternError) {
            return try Self(text)
        } catch {
            report.add(at: tree.mark, "bad regular expression: \(error.reason)", mend: error.remedy)
            return nil
        }
    }
}
