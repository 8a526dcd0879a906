public import PhoenixGraph

/// `dns_sd_configs`: names whose records are targets.
public struct DNSDiscoveryConfig: ObjectValue {
    /// `type` as it is written.
    public enum RecordType: String, ChoiceValue {
        case srv = "SRV"
        case a = "A"
        case aaaa = "AAAA"
        case mx = "MX"
        case ns = "NS"
    }
    public var names: [String] = []
    public var type = RecordType.srv
    public var port = 0
    public var server = ""
    public var refreshInterval = Duration.seconds(30)
    public init() {}
    public static let fields: [Field<DNSDiscoveryConfig>] = [
        Field("names", \.names, required: true, "The names that are asked for."),
        Field("type", \.type, "Which records are asked for."),
        Field(
            "port",
            \.port,
            in: 1...65_535,
            "The port of all targets; records of type SRV bring their own."
        ),
        Field(
            "server",
            \.server,
            "Whom to ask, as `address:port` with an IPv4 address; the servers of `/etc/resolv.conf` where it is left out."
        ),
        Field(
            "refresh_interval",
            \.refreshInterval,
            in: .milliseconds(100)...(.seconds(86_400)),
            "The time between two questions."
        ),
    ]
    public func check(_ marks: FieldMarks, _ report: inout Report) {
        if type != .srv, port == 0 {
            report.add(
                at: marks.node,
                "records of type \(type.rawValue) bring no port",
                mend: "add `port`, that of all targets, or ask for `type: SRV`"
            )
        }
        if !server.isEmpty, DNSResolver.address(server) == nil {
            report.add(
                at: marks["server"],
                "`\(server)` is no address of a server",
                mend: "write an IPv4 address and a port, like `127.0.0.1:8600`"
            )
        }
        for name in names where name.isEmpty || name.utf8.count > 253 || name.contains(where: \.isWhitespace)
        {
            report.add(
                at: marks["names"],
                "`\(name)` is no name",
                mend: "write one like `_web._tcp.example.org`"
            )
        }
    }
}

/// Asks for the records of names. A name that does not exist has no targets; trouble keeps what was known of the name.
struct DNSDiscovery: TargetDiscovery {
    private let config: DNSDiscoveryConfig
    private let resolver: DNSResolver
    private var known: [String: [ScrapeGroup]] = [:]
    private var told: [ScrapeGroup]?
    var interval: Duration { config.refreshInterval }

    init(_ config: DNSDiscoveryConfig) {
        self.config = config
        resolver = DNSResolver(server: config.server)
    }

    mutating func look(_ world: DiscoveryWorld) async throws -> [ScrapeGroup]? {
        for name in config.names {
            do throws(DNSProblem) {
                known[name] = try await resolver.records(of: name, config.type).map { group($0, of: name) }
            } catch {
                world.warn(
                    "\(config.type.rawValue) records of `\(name)`: \(error); what was known of it holds on"
                )
            }
        }
        let groups = config.names.flatMap { known[$0] ?? [] }
        // Trouble at the first look is no answer: nothing may be taken for gone.
        if told == nil, known.isEmpty, !config.names.isEmpty { return nil }
        guard groups != told else { return nil }
        told = groups
        return groups
    }
    private func group(_ record: DNSRecord, of name: String) -> ScrapeGroup {
        var labels = ["__meta_dns_name": name]
        switch config.type {
        case .srv:
            labels["__meta_dns_srv_record_target"] = record.target
            labels["__meta_dns_srv_record_port"] = "\(record.port)"
        case .mx: labels["__meta_dns_mx_record_target"] = record.target
        case .ns: labels["__meta_dns_ns_record_target"] = record.target
        case .a, .aaaa: break
        }
        let host = config.type == .aaaa ? "[\(record.target)]" : record.target
        return ScrapeGroup(["\(host):\(config.type == .srv ? record.port : config.port)"], labels: labels)
    }
}
