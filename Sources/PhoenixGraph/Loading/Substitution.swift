/// Replaces `${env:NAME}`, `${env:NAME:-default}` and `${file:/path}` in the scalars of a graph file; `$$` is a `$`.
///
/// A variable that is set to nothing counts as not set, as in a shell. What a variable or a file holds is taken as it
/// is and never looked through again.
struct Substitution: Sendable {
    var variables: [String: String]
    /// Reads a file that `${file:…}` names.
    var readFile: @Sendable (String) throws -> [UInt8]
    /// How deep defaults may nest: `${env:A:-${env:B:-c}}`.
    static let mostDepth = 8
    /// The most bytes of a file that becomes a setting.
    static let mostFileBytes = 64 << 10

    func apply(to text: String, at mark: Mark, depth: Int = 0, _ report: inout Report) -> String {
        guard text.contains("$") else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result.append("$")
                rest = rest.dropFirst()
            } else if rest.first == "{" {
                guard let end = Self.closing(rest) else {
                    report.add(
                        at: mark,
                        "`${` is not closed",
                        mend: "close it with `}`, or write `$${` for the text itself"
                    )
                    return result
                }
                let reference = rest[rest.index(after: rest.startIndex)..<end]
                result += value(of: reference, at: mark, depth: depth, &report)
                rest = rest[rest.index(after: end)...]
            } else {
                result.append("$")
            }
        }
        return result + rest
    }

    /// The brace that closes the one at the start.
    private static func closing(_ text: Substring) -> Substring.Index? {
        var open = 0
        for index in text.indices {
            if text[index] == "{" { open += 1 }
            if text[index] == "}" {
                open -= 1
                if open == 0 { return index }
            }
        }
        return nil
    }

    /// A secret as it may be shown: the variables and files that it is made of, and `***` for each text of its own, a
    /// default too.
    static func masked(_ text: String, depth: Int = 0) -> String {
        guard depth < mostDepth else { return "***" }
        var (shown, rest) = ("", text[...])
        while !rest.isEmpty {
            if rest.hasPrefix("${"), let end = closing(rest.dropFirst()),
                let reference = maskedReference(rest[..<end].dropFirst(2), depth)
            {
                shown += reference
                rest = rest[rest.index(after: end)...]
            } else {
                // A doubled dollar begins nothing.
                rest = rest.dropFirst(rest.hasPrefix("$$") ? 2 : 1)
                if !shown.hasSuffix("***") { shown += "***" }
            }
        }
        return shown
    }
    /// Nil for what is no substitution: then it is a text.
    private static func maskedReference(_ reference: Substring, _ depth: Int) -> String? {
        if reference.hasPrefix("file:/") { return "${\(reference)}" }
        guard reference.hasPrefix("env:") else { return nil }
        let name = reference.dropFirst(4).prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let rest = reference.dropFirst(4 + name.count)
        if rest.isEmpty { return "${env:\(name)}" }
        guard rest.hasPrefix(":-") else { return nil }
        return "${env:\(name):-\(masked(String(rest.dropFirst(2)), depth: depth + 1))}"
    }

    private func value(of reference: Substring, at mark: Mark, depth: Int, _ report: inout Report) -> String {
        guard depth < Self.mostDepth else {
            report.add(at: mark, "defaults nested deeper than \(Self.mostDepth)", mend: "use fewer")
            return ""
        }
        if reference.hasPrefix("env:") {
            return variable(reference.dropFirst(4), at: mark, depth: depth, &report)
        }
        if reference.hasPrefix("file:/") {
            return contents(of: String(reference.dropFirst(5)), at: mark, &report)
        }
        report.add(
            at: mark,
            "`${\(reference)}` is no substitution",
            mend: reference.hasPrefix("file:")
                ? "name the file by its whole path, as in `${file:/run/secrets/token}`"
                : "write `${env:\(reference)}` for a variable, `${file:/path}` for a file, or `$${…}` for the text itself"
        )
        return ""
    }

    private func variable(_ text: Substring, at mark: Mark, depth: Int, _ report: inout Report) -> String {
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let rest = text.dropFirst(name.count)
        guard !name.isEmpty, rest.isEmpty || rest.hasPrefix(":-") else {
            report.add(
                at: mark,
                "`${env:\(text)}` names no variable",
                mend: "write `${env:NAME}` or `${env:NAME:-default}`, the name in letters, digits and `_`"
            )
            return ""
        }
        if let value = variables[String(name)], !value.isEmpty { return value }
        if rest.isEmpty {
            report.add(
                at: mark,
                "the environment variable `\(name)` is not set",
                mend: "set it, or give a default: `${env:\(name):-default}`"
            )
            return ""
        }
        return apply(to: String(rest.dropFirst(2)), at: mark, depth: depth + 1, &report)
    }

    private func contents(of path: String, at mark: Mark, _ report: inout Report) -> String {
        do {
            let bytes = try readFile(path)
            guard bytes.count <= Self.mostFileBytes, let text = String(validating: bytes, as: UTF8.self)
            else {
                report.add(
                    at: mark,
                    "`\(path)` is larger than \(Self.mostFileBytes) bytes or no UTF-8",
                    mend: "name a file with a short text"
                )
                return ""
            }
            // Editors and `echo` end a file with a line break which is no part of a secret.
            return text.hasSuffix("\r\n")
                ? String(text.dropLast()) : text.hasSuffix("\n") ? String(text.dropLast()) : text
        } catch {
            report.add(
                at: mark,
                "cannot read `\(path)`: \(error)",
                mend: (error as? UnreadableFile)?.mend ?? "make the file and let this user read it"
            )
            return ""
        }
    }
}
