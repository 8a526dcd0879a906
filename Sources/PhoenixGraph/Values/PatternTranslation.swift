/// Turns the common part of RE2's syntax into a POSIX extended expression, and refuses the rest with a reason.
struct PatternTranslation {
    /// Set by `run` where the pattern begins with `(?i)`.
    private(set) var ignoresCase = false
    private var rest: Substring
    private var output = ""
    /// The product of the repetition counts: bounds the size of the compiled automaton.
    private var repetitions = 1

    /// The most characters that a pattern may have.
    static let longest = 2_048
    /// The most copies that nested `{n,m}` may make of what they repeat.
    static let mostRepetitions = 1_000

    init(_ source: String) { rest = source[...] }

    mutating func run() throws(PatternError) -> String {
        guard rest.count <= Self.longest, !rest.contains("\0") else {
            throw PatternError(
                reason: "it is longer than \(Self.longest) characters or holds a NUL",
                remedy: "split it into several"
            )
        }
        if rest.hasPrefix("(?i)") {
            ignoresCase = true
            rest = rest.dropFirst(4)
        }
        while let character = rest.popFirst() {
            switch character {
            case "\\": try escape()
            case "[": try bracket()
            case "(": try group()
            case "{": try repetition()
            case "*", "+", "?":
                output.append(character)
                // Lazy or greedy finds the same texts; only the extent of the match differs, which is not asked for.
                if rest.first == "?" { rest.removeFirst() }
            default: output.append(character)
            }
        }
        return output
    }

    private mutating func escape() throws(PatternError) {
        guard let character = rest.popFirst() else {
            throw PatternError(reason: "it ends in a lone `\\`", remedy: "write `\\\\` for a backslash")
        }
        switch character {
        case "d": output += "[0-9]"
        case "D": output += "[^0-9]"
        case "w": output += "[A-Za-z0-9_]"
        case "W": output += "[^A-Za-z0-9_]"
        case "s": output += "[ \t\n\r\u{c}]"
        case "S": output += "[^ \t\n\r\u{c}]"
        case "t": output += "\t"
        case "n": output += "\n"
        case "b", "B": output += "\\\(character)"
        case "A": output += "^"
        case "z": output += "$"
        case _ where character.isLetter || character.isNumber:
            throw PatternError(
                reason: "`\\\(character)` is not supported",
                remedy: "use a bracket such as `[a-z]`; `\\d`, `\\w`, `\\s`, `\\b` are understood"
            )
        default: output += "\\\(character)"
        }
    }

    private mutating func group() throws(PatternError) {
        if rest.hasPrefix("?:") {
            rest = rest.dropFirst(2)
        } else if rest.first == "?" {
            throw PatternError(
                reason: "`(\(rest.prefix(2))` is not supported",
                remedy: "groups are `(…)` or `(?:…)`; `(?i)` may only begin the pattern"
            )
        }
        output.append("(")
    }

    private mutating func repetition() throws(PatternError) {
        let counts = rest.prefix { $0 != "}" }
        let numbers = counts.split(separator: ",", omittingEmptySubsequences: true).map { Int($0) }
        guard rest.count > counts.count, !numbers.isEmpty, numbers.count <= 2, counts.first?.isNumber == true,
            numbers.allSatisfy({ $0 != nil })
        else {
            throw PatternError(
                reason: "`{` begins no repetition",
                remedy: "write `\\{` for a brace, or `{2}`, `{2,5}`"
            )
        }
        let most = numbers.compactMap { $0 }.max() ?? 1
        let product = repetitions.multipliedReportingOverflow(by: max(1, most))
        guard !product.overflow, product.partialValue <= Self.mostRepetitions else {
            throw PatternError(
                reason: "its repetitions multiply to more than \(Self.mostRepetitions)",
                remedy: "use `+` or `*` in place of large counts"
            )
        }
        repetitions = product.partialValue
        output += "{\(counts)}"
        rest = rest.dropFirst(counts.count + 1)
        if rest.first == "?" { rest.removeFirst() }
    }

    /// A bracket: a backslash means itself inside a POSIX one, so escapes are resolved, and `]`, `-` and `^` are put where
    /// POSIX reads them as themselves.
    private mutating func bracket() throws(PatternError) {
        var body = ""
        var literals: Set<Character> = []
        var isNegated = false
        var isFirst = true
        if rest.first == "^" {
            isNegated = true
            rest.removeFirst()
        }
        while let character = rest.popFirst() {
            if character == "]", !isFirst {
                let close = literals.contains("]") ? "]" : ""
                let caret = literals.contains("^") ? "^" : ""
                let hyphen = literals.contains("-") ? "-" : ""
                // A caret alone would negate when it came first, and `[^` cannot be told from it.
                guard !(close + body).isEmpty || caret.isEmpty || isNegated || !hyphen.isEmpty else {
                    output += "\\^"
                    return
                }
                let tail = (close + body).isEmpty && !isNegated ? hyphen + caret : caret + hyphen
                output += "[\(isNegated ? "^" : "")\(close)\(body)\(tail)]"
                return
            }
            isFirst = false
            switch character {
            case "\\": try bracketEscape(&body, &literals)
            case "[" where rest.first == ":":
                let name = rest.dropFirst().prefix { $0.isLetter }
                guard rest.dropFirst(1 + name.count).hasPrefix(":]") else {
                    body.append("[")
                    continue
                }
                body += "[:\(name):]"
                rest = rest.dropFirst(name.count + 3)
            case "[" where rest.first == "." || rest.first == "=":
                throw PatternError(
                    reason: "`[\(rest.prefix(1))` is not supported",
                    remedy: "write `\\[` for a bracket"
                )
            case "]", "^": literals.insert(character)
            case "-" where body.isEmpty || rest.first == "]": literals.insert(character)
            default: body.append(character)
            }
        }
        throw PatternError(
            reason: "a `[` is not closed",
            remedy: "close it with `]`, or write `\\[` for a bracket"
        )
    }

    private mutating func bracketEscape(
        _ body: inout String,
        _ literals: inout Set<Character>
    ) throws(PatternError) {
        guard let character = rest.popFirst() else {
            throw PatternError(
                reason: "a `[` is not closed",
                remedy: "close it with `]`, or write `\\[` for a bracket"
            )
        }
        switch character {
        case "d": body += "0-9"
        case "w": body += "A-Za-z0-9_"
        case "s": body += " \t\n\r\u{c}"
        case "t": body += "\t"
        case "n": body += "\n"
        case "]", "^", "-": literals.insert(character)
        case "\\": body += "\\"
        case _ where character.isLetter || character.isNumber:
            throw PatternError(
                reason: "`\\\(character)` is not supported in a bracket",
                remedy: "`\\d`, `\\w` and `\\s` are understood"
            )
        default: body.append(character)
        }
    }
}
