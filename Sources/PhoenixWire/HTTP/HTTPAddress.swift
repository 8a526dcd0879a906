package import NIOCore

/// Where a server listens.
public enum HTTPAddress: Sendable, Hashable, CustomStringConvertible {
    /// A host name or address and a port; port 0 lets the system choose.
    case tcp(host: String, port: Int)
    /// A unix domain socket by its path.
    case unix(String)

    /// Reads `host:port`, `[v6]:port`, `:port` (all IPv4 addresses) or `unix:/path`; nil if it is none of them.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            guard !path.isEmpty else { return nil }
            self = .unix(String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        self = .tcp(host: host.isEmpty ? "0.0.0.0" : String(host), port: Int(port))
    }

    /// Of a socket; nil for one without an address, as the client's end of a unix socket is.
    package init?(_ address: SocketAddress?) {
        guard let address else { return nil }
        if let path = address.pathname, !path.isEmpty {
            self = .unix(path)
        } else if let host = address.ipAddress, let port = address.port {
            self = .tcp(host: host, port: port)
        } else {
            return nil
        }
    }

    /// The port; nil for a unix socket.
    public var port: Int? { if case .tcp(_, let port) = self { port } else { nil } }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
