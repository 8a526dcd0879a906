/// An address to listen on: `host:port`, `[::1]:port` or `unix:/path`; port 0 takes any free one.
public enum ListenAddress: FieldValue, Hashable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    case unix(path: String)

    public static var shape: Shape { .string(format: "address") }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let text = tree.scalar(expected: "an address", example: "127.0.0.1:4317", &report) else {
            return nil
        }
        if let address = Self(written: text) { return address }
        let port = text.hasPrefix(":") ? String(text.dropFirst()) : text
        report.add(
            at: tree.mark,
            "expected an address to listen on, found \(tree.found)",
            mend: Int(port).map { (0...65_535).contains($0) } == true
                ? "name the host too: `127.0.0.1:\(port)` for this machine only, `0.0.0.0:\(port)` for all"
                : "write `host:port`, `[::1]:port` or `unix:/path`, with a port from 0 to 65535"
        )
        return nil
    }

    /// Reads an address as it is written in graph files; nil where it is none.
    public init?(written text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            // The kernel's limit for the path of a socket is 108 bytes with its end.
            guard path.hasPrefix("/"), path.utf8.count < 108 else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port),
            text[text.index(after: colon)...].allSatisfy({ $0.isASCII && $0.isNumber })
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) || $0.isLetter })
            else {
                return nil
            }
        } else {
            guard host.allSatisfy({ $0.isLetter || $0.isNumber || "-._".contains($0) }) else { return nil }
        }
        guard !host.isEmpty else { return nil }
        self = .tcp(host: String(host), port: port)
    }

    public var text: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
    public var description: String { text }
}
