import PhoenixWire

/// Why a connection came to nothing before a request could be read from it.
enum ConnectionFailure: UInt8, Sendable, CaseIterable {
    // When it was to be accepted.
    case limit, descriptors, memory, accept
    // In TLS.
    case clearText, version, parameters, noClientCertificate, clientCertificate, alert, aborted, tls

    /// What is counted together.
    enum Family: CaseIterable {
        case connections, tls

        var name: String {
            switch self {
            case .connections: "phoenix_http_refused_connections_total"
            case .tls: "phoenix_tls_failures_total"
            }
        }
        var help: String {
            switch self {
            case .connections:
                "Connections closed at once since too many were open (limit), and times that none could be accepted: for "
                    + "want of descriptors or memory an address tries again after a second."
            case .tls: "Connections that TLS ended, in the handshake nearly always."
            }
        }
        /// What the log says of one.
        var message: String {
            switch self {
            case .connections: "connections are refused"
            case .tls: "connections fail in TLS"
            }
        }
    }
    var family: Family {
        switch self {
        case .limit, .descriptors, .memory, .accept: .connections
        case .clearText, .version, .parameters, .noClientCertificate: .tls
        case .clientCertificate, .alert, .aborted, .tls: .tls
        }
    }
    /// The `reason` of the counter.
    var label: String {
        switch self {
        case .limit: "limit"
        case .descriptors: "descriptors"
        case .memory: "memory"
        case .clearText: "clear_text"
        case .version: "version"
        case .parameters: "parameters"
        case .noClientCertificate: "no_client_certificate"
        case .clientCertificate: "client_certificate"
        case .alert: "alert"
        case .aborted: "aborted"
        case .accept, .tls: "other"
        }
    }
    /// What an operator can do; nil where there is nothing to mend.
    var advice: String? {
        switch self {
        case .limit:
            "see who opens so many and whether they are closed when they are no longer used; where file descriptors set the "
                + "limit, allow more (`ulimit -n`, `LimitNOFILE=` of a systemd unit)"
        case .descriptors:
            "no file descriptors are left: allow more (`ulimit -n`, `LimitNOFILE=` of a systemd unit, `fs.file-max` where the "
                + "whole system has none), or let senders keep fewer connections open"
        case .memory: "the kernel has no memory for more: let senders keep fewer connections open"
        case .accept: nil
        case .clearText: "the peer speaks no TLS: give it an https:// URL, or the address without `tls`"
        case .version: "the peer speaks versions before TLS 1.2 only: bring it up to date"
        case .parameters:
            "the peer knows none of the ciphers, groups or signatures that are taken: bring it up to date"
        case .noClientCertificate:
            "the peer shows no certificate, and `client_ca` asks for one: give it one of those authorities"
        case .clientCertificate:
            "the peer's certificate is of no authority in `client_ca`, or is not valid now: renew it, or look at `client_ca`"
        case .alert:
            "the peer refuses what it is shown, for the reason in `what`: let it trust the authority of the certificate, ask "
                + "for a name that is in it, and renew it once it has expired"
        // Who only looks whether a port is open comes and goes like this, again and again.
        case .aborted: nil
        case .tls: "look at what the peer sends, and at proxies on the way"
        }
    }
    init(_ failure: HTTPEvent.AcceptFailure) {
        switch failure {
        case .descriptors: self = .descriptors
        case .memory: self = .memory
        case .other: self = .accept
        }
    }
}
