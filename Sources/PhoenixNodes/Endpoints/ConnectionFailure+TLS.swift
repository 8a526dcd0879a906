import NIOSSL

extension ConnectionFailure {
    /// What TLS says of a connection, and its words for people; nil where the peer is only gone.
    static func ofTLS(_ error: any Error) -> (reason: Self, what: String)? {
        switch error {
        case NIOSSLError.handshakeFailed(let error): of(error)
        case let error as BoringSSLError: of(error)
        default: nil
        }
    }
    private static func of(_ error: BoringSSLError) -> (reason: Self, what: String) {
        switch error {
        case .sslError(let stack), .unknownError(let stack), .invalidSNIName(let stack),
            .failedToSetALPN(let stack):
            return stack.contains(.eofDuringHandshake) ? gone : of(stack.map { name(in: "\($0)") })
        // The system has ended the connection, or the peer has.
        default: return gone
        }
    }
    private static let gone = (reason: ConnectionFailure.aborted, what: "the peer went away")

    /// Of the names of BoringSSL's errors, the first of them that says why.
    static func of(_ names: [String]) -> (reason: Self, what: String) {
        for name in names {
            if let reason = Self(named: name) { return (reason, words(name)) }
        }
        return (.tls, names.first.map(words) ?? "nothing is known of it")
    }
    private init?(named name: String) {
        switch name {
        case "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "WRONG_VERSION_NUMBER": self = .clearText
        case "UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION": self = .version
        case "NO_SHARED_CIPHER", "NO_SHARED_GROUP", "NO_COMMON_SIGNATURE_ALGORITHMS": self = .parameters
        case "PEER_DID_NOT_RETURN_A_CERTIFICATE": self = .noClientCertificate
        case "CERTIFICATE_VERIFY_FAILED": self = .clientCertificate
        // An alert in the clear where what is encrypted is due: so OpenSSL tells that it does not trust a certificate.
        case "BAD_PACKET_LENGTH": self = .alert
        default:
            guard name.contains("_ALERT_") else { return nil }
            self = .alert
        }
    }
    /// An error of BoringSSL without its number and the place in the source that it names.
    static func name(in text: String) -> String {
        guard let range = text.firstRange(of: ":OPENSSL_internal:") else { return text }
        return String(text[range.upperBound...].prefix { $0 != " " })
    }
    private static func words(_ name: String) -> String {
        name == "BAD_PACKET_LENGTH" ? "alert in the clear" : name.lowercased().replacing("_", with: " ")
    }
}
