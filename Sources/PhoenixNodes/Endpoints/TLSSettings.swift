import NIOSSL
public import PhoenixGraph
import PhoenixRuntime

/// Whether and how an address speaks TLS: the certificate it shows, and whom it lets in.
public struct TLSSettings: ObjectValue, Hashable {
    public var certificate = ""
    public var key = ""
    public var clientCA: String?
    public init() {}
    public static let fields: [Field<Self>] = [
        Field(
            "certificate",
            \.certificate,
            required: true,
            "The file with the certificate and its chain, as PEM; a reload takes a renewed one."
        ),
        Field("key", \.key, required: true, "The file with the private key, as PEM."),
        Field(
            "client_ca",
            \.clientCA,
            "The file with the authorities, as PEM, of which each client must show a certificate; none is asked for if it "
                + "is left out."
        ),
    ]
    /// The files, read when the node is made: new ones under old names make it anew.
    var claims: [Claim] {
        let files = [("tls.certificate", certificate), ("tls.key", key), ("tls.client_ca", clientCA ?? "")]
        return files.filter { !$0.1.isEmpty }.map { .loadsFile($0.1, setting: $0.0) }
    }
}

/// What a node's addresses speak: HTTP, in clear text or over TLS.
///
/// The files are read when the node is made, so that a bad one refuses the graph. What is in them counts as settings: a
/// reload after they were renewed makes the node anew, without closing the address.
struct AddressSecurity {
    private let endpoint: TLSEndpoint?

    /// Throws `TLSError` for files that cannot be used; the log tells of a certificate that is not valid now.
    init(_ settings: TLSSettings?, _ context: NodeContext) throws {
        endpoint = try settings.map(TLSEndpoint.init)
        guard let settings, let validity = endpoint?.validity,
            let trouble = validity.trouble(at: context.time.unixNanoseconds)
        else { return }
        context.logger.warning(
            "\(trouble)",
            metadata: [
                "node": "\(context.id)", "setting": "tls.certificate", "file": "\(settings.certificate)",
                "not_before": "\(validity.notBefore.text)", "not_after": "\(validity.notAfter.text)",
            ]
        )
    }

    /// The name of the protocol to claim with.
    static func protocolName(_ settings: TLSSettings?) -> String { settings == nil ? "http" : "https" }
    var protocolName: String { endpoint == nil ? "http" : TLSEndpoint.protocolName }

    /// Has the address speak so, for the node.
    func attach(to address: String, _ context: NodeContext) {
        guard let endpoint else { return }
        context.listen(
            address,
            protocol: TLSEndpoint.protocolName,
            paths: [TLSEndpoint.path(of: context.id)],
            endpoint
        )
    }
}

/// The certificate of an address, handed to the listeners as if it were one of its paths.
struct TLSEndpoint: Endpoint {
    static let protocolName = "https"
    /// The path to claim with it: no request has it.
    static func path(of owner: String) -> String { "tls \(owner)" }
    let context: NIOSSLContext
    /// Of the certificate itself, which stands before its chain.
    let validity: CertificateValidity?

    init(_ settings: TLSSettings) throws {
        let chain = try TLSError.naming("tls.certificate", settings.certificate) {
            try NIOSSLCertificate.fromPEMFile(settings.certificate)
        }
        validity = chain.first.map { CertificateValidity($0.notValidBefore, $0.notValidAfter) }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(
                try TLSError.naming("tls.key", settings.key) {
                    try NIOSSLPrivateKey(file: settings.key, format: .pem)
                }
            )
        )
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["h2", "http/1.1"]
        if let authorities = settings.clientCA {
            tls.trustRoots = .certificates(
                try TLSError.naming("tls.client_ca", authorities) {
                    try NIOSSLCertificate.fromPEMFile(authorities)
                }
            )
            // The names in a client's certificate are nobody's host.
            tls.certificateVerification = .noHostnameVerification
        }
        context = try TLSError.naming("tls", "\(settings.certificate) and \(settings.key)") {
            try NIOSSLContext(configuration: tls)
        }
    }
}

/// A file of the TLS settings that cannot be used.
public struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    public var setting: String
    public var file: String
    public var reason: String
    public var description: String {
        "`\(setting)`: cannot use \(file): \(reason); give a readable PEM file, and the key that belongs to the certificate"
    }
    static func naming<Result>(
        _ setting: String,
        _ file: String,
        _ body: () throws -> Result
    ) throws(TLSError) -> Result {
        do { return try body() } catch {
            throw TLSError(setting: setting, file: file, reason: "\(error)")
        }
    }
}
