import CResolver
import Glibc
import NIOPosix

/// A record as far as targets need it: a name without its last dot, or an address, and of SRV the port.
struct DNSRecord: Sendable, Hashable, Comparable {
    var target: String
    var port = 0

    static func < (one: Self, other: Self) -> Bool { (one.target, one.port) < (other.target, other.port) }
}

/// Why there is no answer.
enum DNSProblem: Error, Hashable, CustomStringConvertible {
    case noServer
    case refused
    case malformed
    case ended

    var description: String {
        switch self {
        case .noServer: "no server answered in time"
        case .refused: "the server failed or refused to answer"
        case .malformed: "the answer is malformed"
        case .ended: "the engine ends"
        }
    }
}

/// Asks the domain name system by the C library's resolver, which knows `/etc/resolv.conf`, its search list, and TCP for long
/// answers. Each question takes a thread for its time, which is bounded.
struct DNSResolver: Sendable {
    private static let tryFor: Int32 = 2
    private static let room = 65_536
    /// One for all questions of the process: a server that is silent holds up nothing but other questions.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        return threads
    }()
    private let server: sockaddr_in?

    /// - Parameter server: as `address:port`; empty for those of the system.
    init(server: String) { self.server = Self.address(server) }

    static func address(_ text: String) -> sockaddr_in? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            port > 0
        else {
            return nil
        }
        var address = sockaddr_in()
        guard inet_pton(AF_INET, String(text[..<colon]), &address.sin_addr) == 1 else { return nil }
        (address.sin_family, address.sin_port) = (sa_family_t(AF_INET), port.bigEndian)
        return address
    }

    /// The records of a name in an order of their own, each once; none where the name or such a record does not exist.
    func records(
        of name: String,
        _ type: DNSDiscoveryConfig.RecordType
    ) async throws(DNSProblem) -> [DNSRecord] {
        let server = server
        let result: Result<[DNSRecord], DNSProblem>
        do {
            result = try await Self.threads.runIfActive {
                do throws(DNSProblem) { return .success(try Self.ask(name, type, server)) } catch {
                    return .failure(error)
                }
            }
        } catch { throw .ended }
        return try result.get()
    }

    private static func ask(
        _ name: String,
        _ type: DNSDiscoveryConfig.RecordType,
        _ server: sockaddr_in?
    ) throws(DNSProblem) -> [DNSRecord] {
        var (answer, why) = ([UInt8](repeating: 0, count: room), Int32(0))
        var address = server ?? sockaddr_in()
        let size = withUnsafePointer(to: &address) { address in
            phoenix_dns_search(
                name,
                Int32(type.code.rawValue),
                server == nil ? nil : address,
                tryFor,
                &answer,
                Int32(room),
                &why
            )
        }
        guard size >= 0 else {
            switch why {
            case HOST_NOT_FOUND, NO_DATA: return []
            case NO_RECOVERY: throw .refused
            default: throw .noServer
            }
        }
        return try answer.withUnsafeBufferPointer { (answer) throws(DNSProblem) in
            try read(UnsafeBufferPointer(rebasing: answer.prefix(Int(size))), type)
        }
    }
    /// The records of an answer.
    static func read(
        _ answer: UnsafeBufferPointer<UInt8>,
        _ type: DNSDiscoveryConfig.RecordType
    ) throws(DNSProblem) -> [DNSRecord] {
        var message = ns_msg()
        guard ns_initparse(answer.baseAddress, Int32(answer.count), &message) == 0 else { throw .malformed }
        var found: Set<DNSRecord> = []
        for index in 0..<Int32(message._counts.1) {
            var record = ns_rr()
            guard ns_parserr(&message, ns_s_an, index, &record) == 0 else { throw .malformed }
            // Aliases stand beside what they lead to.
            guard record.type == UInt16(type.code.rawValue), let data = record.rdata else { continue }
            found.insert(try Self.record(data, Int(record.rdlength), type, &message))
        }
        return found.sorted()
    }
    private static func record(
        _ data: UnsafePointer<UInt8>,
        _ length: Int,
        _ type: DNSDiscoveryConfig.RecordType,
        _ message: inout ns_msg
    ) throws(DNSProblem) -> DNSRecord {
        switch type {
        case .a, .aaaa:
            guard length == (type == .a ? 4 : 16) else { throw .malformed }
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_ntop(type == .a ? AF_INET : AF_INET6, data, &text, socklen_t(text.count)) != nil else {
                throw .malformed
            }
            return DNSRecord(target: string(text))
        case .srv:
            // Priority and weight, which scrapers do not ask for, and the port.
            guard length > 6 else { throw .malformed }
            return DNSRecord(
                target: try name(data + 6, &message),
                port: Int(data[4]) << 8 | Int(data[5])
            )
        case .mx:
            guard length > 2 else { throw .malformed }
            return DNSRecord(target: try name(data + 2, &message))
        case .ns: return DNSRecord(target: try name(data, &message))
        }
    }
    private static func name(
        _ place: UnsafePointer<UInt8>,
        _ message: inout ns_msg
    ) throws(DNSProblem) -> String {
        var text = [CChar](repeating: 0, count: 1025)
        guard phoenix_dns_name(&message, place, &text, Int32(text.count)) > 0 else { throw .malformed }
        return string(text)
    }
    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension DNSDiscoveryConfig.RecordType {
    fileprivate var code: ns_type {
        switch self {
        case .srv: ns_t_srv
        case .a: ns_t_a
        case .aaaa: ns_t_aaaa
        case .mx: ns_t_mx
        case .ns: ns_t_ns
        }
    }
}
