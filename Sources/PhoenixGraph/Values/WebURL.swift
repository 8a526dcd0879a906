import Foundation

/// An address that a client may be sent to: `http` or `https`, a host, and a port from 1 to 65535 where one is written.
///
/// HTTP clients below check none of it: a port above 65535 ends the process where the host is an IP address, and is cut to
/// 16 bits where it is a name. It prints without what may be secret in it. Source: RFC 3986, section 3.
public struct WebURL: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// What is wrong with a text, in words that follow it; they show nothing of it, since it may hold a password.
    public enum Flaw: Error, Hashable, CustomStringConvertible {
        case scheme
        case noHost
        case host
        case port
        case characters
        case socket

        public var description: String {
            switch self {
            case .scheme: "begins with neither `http://` nor `https://`"
            case .noHost: "names no host"
            case .host: "names a host that is none (an IPv6 address stands in brackets)"
            case .port: "has a port that is no number from 1 to 65535"
            case .characters: "has characters that no URL has"
            case .socket: "names no socket by a path of 1 to 107 bytes"
            }
        }
    }
    /// The whole of it, secrets and all; hand it on, never print it.
    public let text: String
    /// Scheme, host and port: what is meant for one origin is no business of another.
    public let origin: String
    /// Scheme, host, port and path: users, their passwords and the query are left out.
    public let description: String
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    public init(_ text: String) throws(Flaw) {
        let lower = text.lowercased()
        guard let scheme = ["http", "https"].first(where: { lower.hasPrefix("\($0)://") }) else {
            throw .scheme
        }
        let begin = text.utf8.index(text.startIndex, offsetBy: scheme.utf8.count + 3)
        let end = text[begin...].utf8.firstIndex { "/?#".utf8.contains($0) } ?? text.endIndex
        let pathEnd = text[end...].utf8.firstIndex { "?#".utf8.contains($0) } ?? text.endIndex
        var place = text[begin..<end]
        if let at = place.utf8.lastIndex(of: UInt8(ascii: "@")) {
            place = place[place.utf8.index(after: at)...]
        }
        let (host, port) = try Self.hostAndPort(place)
        // The client reads the text by Foundation: both must find the same in it.
        guard let url = URL(string: text) else { throw .characters }
        guard url.host?.isEmpty == false else { throw .host }
        guard url.port == port else { throw .port }
        self.text = text
        origin = "\(scheme)://\(host.lowercased()):\(port ?? (scheme == "https" ? 443 : 80))"
        description = "\(scheme)://\(place)\(text[end..<pathEnd])"
    }

    /// A path, and a query if there is one, at a unix socket.
    public init(socket: String, path: String) throws(Flaw) {
        // The kernel's limit for the path of a socket is 108 bytes with its end.
        guard !socket.isEmpty, socket.utf8.count < 108,
            let host = socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        else { throw .socket }
        let text = "http+unix://\(host)\(path)"
        guard URL(string: text)?.host?.isEmpty == false else { throw .characters }
        self.text = text
        (origin, description) = ("http+unix://\(host)", "unix:\(socket)")
    }

    /// Whether it leads to a unix socket, where no host is named.
    public var isSocket: Bool { text.hasPrefix("http+unix://") }

    /// The host as it is written, and the port if one is.
    private static func hostAndPort(_ place: Substring) throws(Flaw) -> (host: Substring, port: Int?) {
        var (host, rest) = (place, place[place.endIndex...])
        if place.hasPrefix("[") {
            guard let close = place.lastIndex(of: "]") else { throw .host }
            (host, rest) = (place[...close], place[place.index(after: close)...])
            let address = host.dropFirst().dropLast()
            let isAddress = address.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || ":.%-_~".contains($0))
            }
            guard isAddress, address.contains(":"), rest.isEmpty || rest.hasPrefix(":") else { throw .host }
        } else {
            if let colon = place.lastIndex(of: ":") { (host, rest) = (place[..<colon], place[colon...]) }
            guard !host.isEmpty else { throw .noHost }
            guard host.allSatisfy({ $0.isLetter || $0.isNumber || "-._".contains($0) }) else { throw .host }
        }
        guard !rest.isEmpty else { return (host, nil) }
        let digits = rest.dropFirst()
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { throw .port }
        return (host, port)
    }

    /// A text as it may be shown, whatever it is.
    public static func shown(_ text: String) -> String {
        (try? Self(text))?.description ?? "an address that is no URL"
    }
    /// Tells what is wrong with the setting `name`, which must be a URL.
    public static func check(_ setting: Secret, _ name: String, at mark: Mark, _ report: inout Report) {
        do throws(Flaw) { _ = try Self(setting.value) } catch {
            report.add(
                at: mark,
                "`\(name)` \(error)",
                mend: "write `http://host:port/path`, with a port from 1 to 65535 or none"
            )
        }
    }
}
