import PhoenixWire

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How many files and sockets this process may have open at once (`RLIMIT_NOFILE`).
public struct DescriptorLimit: Sendable, Equatable {
    /// What holds.
    public var soft: Int
    /// What the process may raise it to by itself.
    public var hard: Int

    /// Linux lets no process have more, unless it is told to (`fs.nr_open`).
    static let ceiling = 1 << 20

    public init(soft: Int, hard: Int) { (self.soft, self.hard) = (soft, hard) }

    #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    private static let resource = RLIMIT_NOFILE
    #endif

    /// The limit now; nil where the system does not tell.
    public static var current: Self? {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        return Self(soft: Int(clamping: limit.rlim_cur), hard: Int(clamping: limit.rlim_max))
    }

    /// Raises the soft limit to the hard one; answers the limit before and after, or nil where the system does not tell.
    ///
    /// It is low for the sake of programs that wait by `select`, which knows 1024 descriptors; here nothing does.
    public static func raise() -> (before: Self, after: Self)? {
        var limit = rlimit()
        guard let before = current, getrlimit(resource, &limit) == 0 else { return nil }
        guard before.raised > before.soft else { return (before: before, after: before) }
        limit.rlim_cur = rlim_t(before.raised)
        // Refused, it stays as it is, and connections are bounded by that.
        setrlimit(resource, &limit)
        return current.map { (before: before, after: $0) }
    }
    /// What the soft limit is to be.
    var raised: Int { max(soft, min(hard, Self.ceiling)) }

    /// Lets a server take no more connections than leave descriptors for the rest: files of `state`, scrapes, what the kernel
    /// wants for each event loop, and a few connections more at the addresses that must answer then.
    func bound(_ configuration: inout HTTPConfiguration) {
        let reserve = min(soft / 2, max(128, soft / 4))
        configuration.maxConnections = min(configuration.maxConnections, soft - reserve)
        configuration.reservedConnections = min(configuration.reservedConnections, reserve / 4)
    }
}
