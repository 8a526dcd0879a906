import PhoenixModel
import Synchronization

/// Asked by receivers *before* they read a body: whether the engine has memory for it.
///
/// Bytes are booked where they live, in named accounts: edges, requests, series, state. Below the soft limit
/// everything is admitted. Above it only `high` and `critical`, above the hard limit only `critical`; the resident
/// size of the process, read from time to time, is the backstop that refuses all. Every call is a few atomic
/// operations, fit for an event loop.
public final class AdmissionGate: Sendable {
    /// The limits; without a hard limit everything is admitted.
    public struct Limits: Sendable, Hashable {
        public var softBytes: Int
        public var hardBytes: Int
        /// The resident size above which nothing is admitted.
        public var residentBytes: Int
        /// How long a refused sender is asked to wait.
        public var retryAfter: Duration
        public init(
            softBytes: Int = .max,
            hardBytes: Int = .max,
            residentBytes: Int = .max,
            retryAfter: Duration = .seconds(1)
        ) {
            (self.softBytes, self.hardBytes) = (min(softBytes, hardBytes), hardBytes)
            (self.residentBytes, self.retryAfter) = (residentBytes, retryAfter)
        }
    }
    /// How much it matters that a request is taken in.
    public enum Priority: Int, Sendable, Comparable, CaseIterable {
        case low, normal, high, critical
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }
    public enum Admission: Sendable, Equatable {
        case admit
        /// The sender keeps what it has and should ask again no sooner.
        case refuse(retryAfter: Duration)
    }
    /// How full the engine is.
    public enum Pressure: Int, Sendable, Comparable {
        case none, soft, hard
        /// The process is larger than allowed, whatever the accounts say.
        case resident
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// The bytes of one kind of holder.
    public final class Account: Sendable {
        public let name: String
        private let own = Atomic(0)
        private let total: Total
        fileprivate init(_ name: String, total: Total) { (self.name, self.total) = (name, total) }
        public func add(_ bytes: Int) {
            own.wrappingAdd(bytes, ordering: .relaxed)
            total.bytes.wrappingAdd(bytes, ordering: .relaxed)
        }
        public func subtract(_ bytes: Int) { add(-bytes) }
        public var bytes: Int { own.load(ordering: .relaxed) }
    }
    fileprivate final class Total: Sendable { let bytes = Atomic(0) }

    private let total = Total()
    private let accounts = Lock([String: Account]())
    private let limitsBox: Lock<Limits>
    private let soft: Atomic<Int>
    private let hard: Atomic<Int>
    private let resident = Atomic(0)
    private let residentLimit: Atomic<Int>
    private let refused = Atomic(0)

    public init(_ limits: Limits = Limits()) {
        limitsBox = Lock(limits)
        soft = Atomic(limits.softBytes)
        hard = Atomic(limits.hardBytes)
        residentLimit = Atomic(limits.residentBytes)
    }

    /// The limits; a change holds from the next question on.
    public var limits: Limits {
        get { limitsBox.withLock { $0 } }
        set {
            limitsBox.withLock { $0 = newValue }
            soft.store(newValue.softBytes, ordering: .relaxed)
            hard.store(newValue.hardBytes, ordering: .relaxed)
            residentLimit.store(newValue.residentBytes, ordering: .relaxed)
        }
    }

    /// The account of that name, the same for all who ask.
    public func account(_ name: String) -> Account {
        accounts.withLock { accounts in
            if let account = accounts[name] { return account }
            let account = Account(name, total: total)
            accounts[name] = account
            return account
        }
    }
    /// The bytes of every account, by name.
    public var bytesByAccount: [String: Int] { accounts.withLock { $0.mapValues(\.bytes) } }
    public var bytes: Int { total.bytes.load(ordering: .relaxed) }
    /// How many requests were refused so far.
    public var refusals: Int { refused.load(ordering: .relaxed) }

    /// How full the engine would be with `more` bytes.
    public func pressure(with more: Int = 0) -> Pressure {
        if resident.load(ordering: .relaxed) > residentLimit.load(ordering: .relaxed) { return .resident }
        let bytes = bytes + more
        if bytes > hard.load(ordering: .relaxed) { return .hard }
        return bytes > soft.load(ordering: .relaxed) ? .soft : .none
    }

    /// Whether a request of so many bytes may be read. It books nothing: who reads the body books it.
    public func admit(bytes: Int, priority: Priority = .normal) -> Admission {
        let isAdmitted =
            switch pressure(with: bytes) {
            case .none: true
            case .soft: priority >= .high
            case .hard: priority >= .critical
            case .resident: false
            }
        if isAdmitted { return .admit }
        refused.wrappingAdd(1, ordering: .relaxed)
        return .refuse(retryAfter: limits.retryAfter)
    }

    /// Tells the resident size of the process, for the backstop.
    public func noteResident(bytes: Int) { resident.store(bytes, ordering: .relaxed) }
    public var residentBytes: Int { resident.load(ordering: .relaxed) }
}
