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

extension ListenAddress {
    /// An address as all who mean it would write it; a text that is none stays as it is.
    public static func place(of written: String) -> String {
        if written.hasPrefix("unix:") { return "unix:" + path(String(written.dropFirst(5))) }
        return Self(written: written)?.text.lowercased() ?? written
    }
    /// A path without `.` and doubled slashes.
    static func path(_ text: String) -> String {
        let parts = text.split(separator: "/").filter { $0 != "." }
        return (text.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// Whether who has the one may keep another from the other: they are the same, or one port of what may be one host. What a
    /// host's name stands for, and whether two IPv6 addresses are one, is not known here.
    public func mayMeet(_ other: Self) -> Bool {
        guard case .tcp(let host, let port) = self, case .tcp(let otherHost, let otherPort) = other else {
            return Self.place(of: text) == Self.place(of: other.text)
        }
        guard port == otherPort, port != 0 else { return false }
        func isOneIPv4(_ host: String) -> Bool {
            host != "0.0.0.0" && host.allSatisfy { $0.isNumber || $0 == "." }
        }
        return !isOneIPv4(host) || !isOneIPv4(otherHost) || host == otherHost
    }
}

extension ListenAddress {
    /// Whether nobody reaches it from another machine.
    package var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }
}
