import NIOCore
import Synchronization

/// Answers one request, once, from any thread.
///
/// One that is let go without an answer answers 500 itself.
public final class HTTPResponder: Sendable {
    private let exchange: HTTPExchange

    init(_ exchange: HTTPExchange) { self.exchange = exchange }

    deinit { exchange.abandon() }

    /// Sends the answer.
    ///
    /// A second one is not sent, but counted as an event.
    public func respond(_ response: HTTPResponse) { exchange.respond(response) }

    /// Whether nobody waits for the answer any more: the peer went away or the request timed out.
    public var isPeerGone: Bool { exchange.isGone }

    /// Makes the connection ask a body stream that said `.wait` again.
    ///
    /// Any thread.
    public func wakeBody() { exchange.wakeBody() }

    /// Runs `work` after `time` unless the request is answered by then.
    ///
    /// On the event loop only.
    func setDeadline(_ time: Duration, _ work: @escaping @Sendable (HTTPExchange) -> Void) {
        exchange.setDeadline(time, work)
    }

    /// Runs `work` on the connection's event loop; not at all if the loop has ended.
    public func onLoop(_ work: @escaping @Sendable () -> Void) { exchange.loop.execute(work) }
    /// The same after `delay`.
    public func onLoop(after delay: Duration, _ work: @escaping @Sendable () -> Void) {
        exchange.loop.scheduleTask(in: TimeAmount(delay), work)
    }
}

/// Where the answers of a connection go.
///
/// Called on its event loop only.
protocol HTTPExchangeOwner: AnyObject {
    func answer(_ exchange: HTTPExchange, with response: HTTPResponse)
    func answerUnanswered(_ exchange: HTTPExchange)
    func wakeBody(_ exchange: HTTPExchange)
    func report(_ event: HTTPEvent)
}

/// One request and its answer, shared by the connection and the responder.
///
/// Sendable because `owner` and `deadline` are only touched on `loop`, and the rest is atomic.
final class HTTPExchange: @unchecked Sendable {
    let loop: any EventLoop
    /// The HTTP/2 stream, or a running number.
    let id: Int64
    private let owner: any HTTPExchangeOwner
    private let answered = Atomic<Bool>(false)
    private let gone = Atomic<Bool>(false)
    private var deadline: Scheduled<Void>?

    init(loop: any EventLoop, id: Int64, owner: any HTTPExchangeOwner) {
        self.loop = loop
        self.id = id
        self.owner = owner
    }

    var isGone: Bool { gone.load(ordering: .relaxed) }
    var isAnswered: Bool { answered.load(ordering: .relaxed) }

    /// Runs `work` after `time` unless the request is answered by then.
    ///
    /// On the event loop only.
    func setDeadline(_ time: Duration, _ work: @escaping @Sendable (HTTPExchange) -> Void) {
        guard !isAnswered, !isGone else { return }
        deadline = loop.scheduleTask(in: TimeAmount(time)) { work(self) }
    }

    /// Answers a gRPC call whose time is over.
    func expire(_ head: HTTPRequestHead) {
        guard claim() else { return }
        markGone()
        let status = GRPCStatus(.deadlineExceeded, "the call was not finished by its deadline")
        deliver(GRPCEndpoint.trailersOnly(status, to: head), first: true)
    }

    /// The connection has no more use for an answer.
    func markGone() { gone.store(true, ordering: .relaxed) }

    /// Takes the right to answer; whoever gets true must answer.
    func claim() -> Bool { !answered.exchange(true, ordering: .acquiringAndReleasing) }

    func respond(_ response: HTTPResponse) {
        let first = claim()
        if loop.inEventLoop { return deliver(response, first: first) }
        loop.execute { self.deliver(response, first: first) }
    }

    func abandon() {
        guard claim() else { return }
        if loop.inEventLoop { return deliverNothing() }
        loop.execute { self.deliverNothing() }
    }

    func wakeBody() {
        if loop.inEventLoop { return owner.wakeBody(self) }
        loop.execute { self.owner.wakeBody(self) }
    }

    private func deliver(_ response: HTTPResponse, first: Bool) {
        deadline?.cancel()
        deadline = nil
        if first {
            owner.answer(self, with: response)
        } else if !isGone {
            owner.report(.answeredTwice)
        }
    }

    private func deliverNothing() {
        deadline?.cancel()
        deadline = nil
        if !isGone { owner.report(.unanswered) }
        owner.answerUnanswered(self)
    }
}
