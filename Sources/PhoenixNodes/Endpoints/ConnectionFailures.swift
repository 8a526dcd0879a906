import Logging
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// Connections that came to nothing: each is counted at once, and told in the log by `tell`.
///
/// A connection on which a request was read never comes here.
final class ConnectionFailures: Sendable {
    /// One of them, as far as it is known.
    struct Example: Sendable, Equatable {
        var what: String
        /// Where it came in.
        var address: String?
        var peer: String?
    }
    /// So much is kept of what is said of one.
    private static let longest = 200

    private let logger: Logger
    /// How many connections may be open at once.
    private let limit: Int
    private let notices = Lock(Notices<ConnectionFailure, Example>())
    private let counters = ConnectionFailure.allCases.map { _ in Counter() }

    init(_ logger: Logger, limit: Int) { (self.logger, self.limit) = (logger, limit) }

    /// Notes what the server noticed; of most of it handlers hear, or nobody need to.
    func note(_ event: HTTPEvent) {
        switch event {
        case .connectionLimit: note(.limit, Example(what: "\(limit) connections are open"))
        case .acceptFailed(let failure, let words): note(ConnectionFailure(failure), Example(what: words))
        default: logger.debug("connection trouble", metadata: ["what": "\(event)"])
        }
    }
    /// Notes a failed connection; on any event loop.
    func note(_ reason: ConnectionFailure, _ example: Example) {
        counters[Int(reason.rawValue)].add()
        notices.withLock { notices in notices.add(reason) { example } }
        logger.debug("connection trouble", metadata: Self.metadata(reason, example))
    }

    /// Writes to the log what is to be told now; asked from time to time, and not on an event loop.
    ///
    /// - Parameter isLast: nobody will ask again.
    func tell(at now: Duration, isLast: Bool = false) {
        for notice in notices.withLock({ $0.due(at: now, isLast: isLast) }) {
            guard let advice = notice.reason.advice else { continue }
            var metadata = Self.metadata(notice.reason, notice.example)
            metadata["left_out"] = "\(notice.leftOut)"
            logger.warning("\(notice.reason.family.message); \(advice)", metadata: metadata)
        }
    }
    private static func metadata(_ reason: ConnectionFailure, _ example: Example) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "reason": "\(reason.label)", "what": "\(example.what.prefix(longest))",
        ]
        if let address = example.address { metadata["address"] = "\(address)" }
        if let peer = example.peer { metadata["peer"] = "\(peer)" }
        return metadata
    }

    /// What was counted; every reason is there from the start.
    var families: [PlainFamily] {
        ConnectionFailure.Family.allCases.map { family in
            let samples = ConnectionFailure.allCases.filter { $0.family == family }.map { reason in
                PlainFamily.Sample(
                    Double(counters[Int(reason.rawValue)].value),
                    [ExposedLabel("reason", reason.label)]
                )
            }
            return PlainFamily(family.name, family.help, .counter, samples)
        }
    }
}
