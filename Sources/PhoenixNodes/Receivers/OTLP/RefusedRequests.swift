import Logging
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// Requests that were refused whole: each is counted at once, and told in the log by `tell`.
///
/// A request that is taken never comes here.
final class RefusedRequests: Sendable {
    /// So much is kept of what a sender chose the words of.
    private static let longest = 200

    private let context: NodeContext
    private let notices = Lock(RefusalNotices())
    /// By reason, and within it by protocol.
    private let counters: [Counter]

    init(_ context: NodeContext) {
        self.context = context
        counters = RequestRefusal.allCases.flatMap { reason in
            OTLPReply.Speech.allCases.map { speech in
                context.vitals.counter(
                    "phoenix_receiver_refused_requests_total",
                    ["reason": reason.label, "protocol": speech.label],
                    "Requests that were refused whole, and told so: of `busy`, `memory` and `stopping` senders try again."
                )
            }
        }
    }

    /// Notes a failure that refuses a request; one that tells of a wrong path or method does not.
    func note(
        _ failure: OTLPFailure,
        _ speech: OTLPReply.Speech,
        _ head: HTTPRequestHead? = nil,
        peer: String? = nil
    ) {
        guard let reason = failure.reason else { return }
        note(reason, speech, failure.message, head, peer: peer)
    }
    /// Notes a refused request with what is known of it.
    func note(
        _ reason: RequestRefusal,
        _ speech: OTLPReply.Speech,
        _ what: String,
        _ head: HTTPRequestHead? = nil,
        peer: String? = nil
    ) {
        counters[Int(reason.rawValue) * OTLPReply.Speech.allCases.count + Int(speech.rawValue)].add()
        notices.withLock { notices in
            notices.add(reason) {
                RefusedRequest(
                    speech: speech,
                    what: String(what.prefix(Self.longest)),
                    sender: head?.fields["user-agent"].map { String($0.prefix(Self.longest)) },
                    peer: peer
                )
            }
        }
    }

    /// Writes to the log what is to be told now; asked from time to time, and not on an event loop.
    ///
    /// - Parameter isLast: nobody will ask again.
    func tell(isLast: Bool = false) {
        for notice in notices.withLock({ $0.due(at: context.time.monotonic, isLast: isLast) }) {
            tell(notice)
        }
    }
    private func tell(_ notice: RefusalNotices.Notice) {
        guard let advice = notice.reason.advice else { return }
        var metadata: Logger.Metadata = [
            "node": "\(context.id)", "reason": "\(notice.reason.label)",
            "protocol": "\(notice.example.speech.label)",
            "what": "\(notice.example.what)", "left_out": "\(notice.leftOut)",
        ]
        if let peer = notice.example.peer { metadata["peer"] = "\(peer)" }
        if let sender = notice.example.sender { metadata["user_agent"] = "\(sender)" }
        context.logger.warning("requests are refused; \(advice)", metadata: metadata)
    }
}
