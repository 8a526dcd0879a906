import PhoenixGraph

/// The path under which a node answers at its addresses, as a graph file writes it.
enum EndpointPath {
    /// Refuses a path that no request has; `usual` is what such a node serves else.
    static func check(_ path: String, usual: String, at mark: Mark, _ report: inout Report) {
        guard path.hasPrefix("/") else {
            return report.add(
                at: mark,
                "`path` is \(path.isEmpty ? "empty" : "`\(path)`"), and the path of every request begins with `/`",
                mend: "write `\(path.isEmpty ? usual : "/\(path)")`"
            )
        }
        guard let flaw = path.unicodeScalars.first(where: { !isTaken($0) }) else { return }
        let shown =
            flaw.value > 0x20 && flaw.value < 0x7F ? "`\(flaw)`" : "U+\(String(flaw.value, radix: 16))"
        report.add(
            at: mark,
            "`path` has \(shown), which no path of a request has as it is",
            mend: "write a path such as `\(usual)`; other characters stand in it as `%` and two digits"
        )
    }
    /// RFC 3986, section 3.3: no question mark begins a query, no number sign a fragment.
    private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
        (0x21...0x7E).contains(scalar.value) && scalar != "?" && scalar != "#"
    }
}
