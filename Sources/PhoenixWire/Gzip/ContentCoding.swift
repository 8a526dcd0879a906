/// A content coding that Phoenix speaks (RFC 9110, 8.4.1).
public enum ContentCoding: Sendable, Hashable {
    case identity
    case gzip
    /// The zlib format; bare deflate, which some senders call so, is taken as well.
    case deflate

    /// The coding of a `Content-Encoding` or `grpc-encoding` value, in any case; nil if we do not speak it.
    ///
    /// No value at all, or an empty one, is `identity`.
    public init?(_ value: String?) {
        switch value?.lowercased() {
        case nil, "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "deflate", "zlib": self = .deflate
        default: return nil
        }
    }

    /// Whether an `Accept-Encoding` value lets us answer in gzip.
    ///
    /// No value means no: the standard would allow it, but a peer that wanted it would have asked.
    public static func acceptsGzip(_ value: String?) -> Bool {
        guard let value else { return false }
        var gzip: Double?
        var star: Double?
        var identity: Double?
        for item in value.utf8.split(separator: UInt8(ascii: ",")) {
            let parts = item.split(separator: UInt8(ascii: ";")).map { ASCII.trimmed($0) }
            guard let first = parts.first else { continue }
            let name = String(decoding: first.map(ASCII.lowercased), as: UTF8.self)
            let quality = parts.dropFirst().compactMap(Self.quality).first ?? 1
            switch name {
            case "gzip", "x-gzip": gzip = max(gzip ?? 0, quality)
            case "*": star = quality
            case "identity": identity = quality
            default: break
            }
        }
        guard let wanted = gzip ?? star, wanted > 0 else { return false }
        return wanted >= identity ?? 0
    }

    /// The weight in `q=0.5`; a malformed one counts as 0.
    private static func quality<Bytes: Collection>(_ parameter: Bytes) -> Double?
    where Bytes.Element == UInt8 {
        let text = String(decoding: parameter.map(ASCII.lowercased), as: UTF8.self)
        guard text.hasPrefix("q=") else { return nil }
        guard let value = Double(text.dropFirst(2)), value >= 0, value <= 1 else { return 0 }
        return value
    }
}
