import Foundation
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// Where a person says which mode shall hold: the memory of a `manual` controller, shared with its HTTP endpoint.
final class ModeDesk: Sendable {
    private struct State {
        var current: ModeChange?
        var version: UInt64 = 0
    }
    private let context: NodeContext
    private let outlet: Outlet<ModeChange>
    private let state = Lock(State())

    init(_ context: NodeContext, _ outlet: Outlet<ModeChange>) {
        (self.context, self.outlet) = (context, outlet)
    }

    /// Grows by one with each decision, also from one node to its heir.
    var version: UInt64 {
        get { state.withLock { $0.version } }
        set { state.withLock { $0.version = max($0.version, newValue) } }
    }
    var current: ModeChange? { state.withLock { $0.current } }

    /// Asks all who follow for a mode; the newest of several decisions counts. Nobody waits: modes are registers.
    @discardableResult
    func ask(_ mode: Mode, because reason: String) -> ModeChange {
        let change = state.withLock { state in
            state.version += 1
            let change = ModeChange(
                mode,
                because: reason,
                correlationID: "\(context.id)-\(state.version)",
                version: state.version,
                timeUnixNano: context.time.unixNanoseconds
            )
            state.current = change
            return change
        }
        if !outlet.offer(change) {
            context.logger.warning(
                "the mode reached nobody: nothing follows this controller",
                metadata: ["mode": "\(mode)"]
            )
        }
        return change
    }
}

/// `GET` shows the mode; `PUT` and `POST` `{"mode": "aggressive", "reason": "…"}` ask for another.
struct ModeEndpoint: HTTPHandler {
    private struct Request: Decodable {
        var mode: String
        var reason: String?
    }
    private struct Answer: Encodable {
        var mode: String
        var reason: String
        var version: UInt64
        var correlation_id: String
    }
    let desk: ModeDesk
    var bodyLimit: Int? { 64 << 10 }

    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        switch head.method {
        case .get, .head, .put, .post: nil
        default: .methodNotAllowed(allow: "GET, PUT, POST")
        }
    }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        switch request.head.method {
        case .put, .post: responder.respond(ask(Data(body)))
        default:
            responder.respond(
                desk.current.map { Self.answer(200, $0) } ?? Self.error(503, "no mode was asked for yet")
            )
        }
    }
    private func ask(_ body: Data) -> HTTPResponse {
        let known = Mode.allCases.map(\.rawValue).joined(separator: ", ")
        guard let request = try? JSONDecoder().decode(Request.self, from: body) else {
            return Self.error(
                400,
                "the body must be JSON such as {\"mode\": \"balanced\", \"reason\": \"why\"}"
            )
        }
        guard let mode = Mode(rawValue: request.mode) else {
            return Self.error(400, "there is no mode \(request.mode); use one of \(known)")
        }
        return Self.answer(200, desk.ask(mode, because: request.reason ?? "asked for over HTTP"))
    }
    private static func answer(_ status: Int, _ change: ModeChange) -> HTTPResponse {
        let answer = Answer(
            mode: change.mode.rawValue,
            reason: change.reason,
            version: change.version,
            correlation_id: change.correlationID
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let body = try? encoder.encode(answer) else {
            return error(500, "the answer cannot be written")
        }
        return .bytes(status, type: "application/json", Array(body))
    }
    private static func error(_ status: Int, _ message: String) -> HTTPResponse {
        .bytes(
            status,
            type: "application/json",
            Array(#"{"error":\#(AttributeValue.string(message).json)}"#.utf8)
        )
    }
}
