#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A regular expression, compiled and checked when the graph is loaded.
///
/// It *searches*, as the Collector's do: `critical` matches every text that contains it; write `^critical$` for the
/// whole text. The syntax is that of RE2 and Prometheus as far as POSIX extended expressions reach (`\d`, `\w`, `\s`,
/// `(?:…)` and a leading `(?i)` are understood; what cannot be expressed is refused, never read as something else).
/// Letters outside ASCII match as the bytes of their UTF-8. Patterns are equal when their texts are.
public struct Pattern: FieldValue, Hashable, CustomStringConvertible {
    /// As it was written.
    public let source: String
    private let compiled: CompiledPattern

    /// Compiles a pattern; throws `PatternError` with the reason in words.
    public init(_ source: String) throws(PatternError) {
        var translation = PatternTranslation(source)
        let posix = try translation.run()
        self.source = source
        compiled = try CompiledPattern(posix, ignoringCase: translation.ignoresCase)
    }

    /// Whether the pattern is found anywhere in `text`.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches($0) }
    }

    /// Whether the pattern is found anywhere in UTF-8 bytes.
    public func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        compiled.match(bytes, groups: 0) != nil
    }

    /// The whole match and its groups, in order, of the leftmost match; nil where there is none, and nil for a group
    /// that took no part.
    public func groups(in text: String) -> [String?]? {
        var text = text
        return text.withUTF8 { bytes in
            compiled.match(bytes, groups: compiled.groupCount + 1)?.map { range in
                range.map { String(decoding: bytes[$0], as: UTF8.self) }
            }
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.source == right.source }
    public func hash(into hasher: inout Hasher) { hasher.combine(source) }
    public var description: String { source }
    public var text: String { source }
    public static var shape: Shape { .string(format: "regex") }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let text = tree.scalar(expected: "a regular expression", example: "^java.*", &report) else {
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

/// Why a text is no regular expression that Phoenix can run.
public struct PatternError: Error, Hashable, Sendable {
    public var reason: String
    public var remedy: String
    public init(reason: String, remedy: String) { (self.reason, self.remedy) = (reason, remedy) }
}

/// The one place that touches the C library's matcher.
///
/// Proof for `@unchecked Sendable`: `regex` is written by `regcomp` in `init` and by `regfree` in `deinit`, when no other
/// reference exists; in between it is only passed to `regexec`, which POSIX requires to be safe for concurrent
/// calls on one compiled expression (glibc locks its automaton inside). The allocation is owned by this object alone.
private final class CompiledPattern: @unchecked Sendable {
    private let regex = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    let groupCount: Int

    init(_ posix: String, ignoringCase: Bool) throws(PatternError) {
        regex.initialize(to: regex_t())
        let code = regcomp(regex, posix, REG_EXTENDED | (ignoringCase ? REG_ICASE : 0))
        guard code == 0 else {
            var buffer = [CChar](repeating: 0, count: 256)
            regerror(code, regex, &buffer, buffer.count)
            // A failed regcomp has freed what it took: `deinit`, which would free it again, does not run for it,
            // since the object is not yet whole.
            regex.deinitialize(count: 1)
            regex.deallocate()
            let reason = String(
                decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
                as: UTF8.self
            )
            throw PatternError(
                reason: reason,
                remedy: "close every bracket and put a `\\` before a character meant as itself"
            )
        }
        groupCount = Int(regex.pointee.re_nsub)
    }

    deinit {
        regfree(regex)
        regex.deinitialize(count: 1)
        regex.deallocate()
    }

    /// The first `groups` ranges of the leftmost match.
    func match(_ bytes: UnsafeBufferPointer<UInt8>, groups: Int) -> [Range<Int>?]? {
        // REG_STARTEND bounds the text by the first range instead of by a NUL, which the bytes may lack or hold.
        var found = [regmatch_t](repeating: regmatch_t(), count: max(1, groups))
        found[0].rm_so = 0
        found[0].rm_eo = regoff_t(bytes.count)
        let empty: StaticString = ""
        let code = bytes.withMemoryRebound(to: CChar.self) { text in
            empty.withUTF8Buffer { none in
                none.withMemoryRebound(to: CChar.self) { none in
                    // An empty buffer may have no address; regexec wants one.
                    regexec(regex, text.baseAddress ?? none.baseAddress, groups, &found, REG_STARTEND)
                }
            }
        }
        guard code == 0 else { return nil }
        return found.prefix(groups).map { $0.rm_so < 0 ? nil : Int($0.rm_so)..<Int($0.rm_eo) }
    }
}
