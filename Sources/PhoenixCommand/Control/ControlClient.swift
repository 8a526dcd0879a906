import AsyncHTTPClient
import Foundation
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime

/// A request to the control API.
struct ControlRequest {
    var method: String
    var path: String
    var body: String?

    init(_ method: String, _ path: String, body: String? = nil) {
        (self.method, self.path, self.body) = (method, path, body)
    }
}

/// What the control API said to a request that it took.
struct ControlReply {
    var text: String

    func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
            Terminal.note(
                "phoenix mode: the answer is none of this version's control API: \(text.prefix(200))"
            )
            throw Outcome.refused.exitCode
        }
    }
}

/// Why there is no answer to show, and how the command ends.
struct ControlFailure: Error {
    var outcome: Outcome
    var message: String
    init(_ outcome: Outcome, _ message: String) { (self.outcome, self.message) = (outcome, message) }
}

/// Speaks to the control API of a running Phoenix.
struct ControlClient {
    /// The longest answer that is taken.
    private static let mostBytes = 16 << 20
    private let base: WebURL
    /// The unix socket that `base` stands for.
    private let socket: String?
    private let token: String?
    private let timeout: Duration

    init(address: String, token: String?, timeout: Duration) throws(ControlFailure) {
        let url = address.contains("://") ? address : "http://\(address)"
        socket = address.hasPrefix("unix:") ? String(address.dropFirst(5)) : nil
        do throws(WebURL.Flaw) {
            if let socket {
                base = try WebURL(socket: socket, path: "/")
            } else {
                let whole = try WebURL(url)
                base = try url.hasSuffix("/") ? WebURL(String(url.dropLast())) : whole
            }
        } catch {
            throw ControlFailure(
                .refused,
                "`\(address)` is no address: it \(error); write host:port, such as 127.0.0.1:8080, unix:/path, or an http URL"
            )
        }
        (self.token, self.timeout) = (token.flatMap { $0.isEmpty ? nil : $0 }, timeout)
    }

    func send(_ request: ControlRequest) async throws(ControlFailure) -> ControlReply {
        let url: WebURL
        do throws(WebURL.Flaw) { url = try self.url(request.path) } catch {
            throw ControlFailure(.refused, "the address of `\(request.path)` at \(base) \(error)")
        }
        var sent = HTTPClientRequest(to: url)
        sent.method = .init(rawValue: request.method)
        if let token { sent.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body = request.body {
            sent.headers.add(name: "content-type", value: "application/json")
            sent.body = .bytes(Array(body.utf8))
        }
        let (status, text): (Int, String)
        do { (status, text) = try await answer(to: sent) } catch { throw Self.failure(error, at: base) }
        guard (200..<300).contains(status) else { throw Self.refusal(status, text, at: base) }
        return ControlReply(text: text)
    }

    private func url(_ path: String) throws(WebURL.Flaw) -> WebURL {
        guard let socket else { return try WebURL(base.text + path) }
        return try WebURL(socket: socket, path: path)
    }
    private func answer(to request: HTTPClientRequest) async throws -> (Int, String) {
        let deadline = Int64(clamping: timeout.nanoseconds)
        return try await HTTPClient.withHTTPClient(configuration: .tryingOnce) { client in
            let response = try await client.execute(request, timeout: .nanoseconds(deadline))
            let bytes = try await response.body.collect(upTo: Self.mostBytes)
            return (Int(response.status.code), String(decoding: bytes.readableBytesView, as: UTF8.self))
        }
    }

    private static func failure(_ error: any Error, at base: WebURL) -> ControlFailure {
        let isTimeout = [.connectTimeout, .readTimeout, .deadlineExceeded].contains(error as? HTTPClientError)
        let what = isTimeout ? "it did not answer in time" : "\(ConnectionTrouble(error))"
        return ControlFailure(
            .notStarted,
            "no control API at \(base): \(what); is a graph with a `mode` controller running, "
                + "or does it listen elsewhere (--address)?"
        )
    }
    private static func refusal(_ status: Int, _ text: String, at base: WebURL) -> ControlFailure {
        struct Refused: Decodable {
            var error: String?
            var message: String?
        }
        let told = try? JSONDecoder().decode(Refused.self, from: Data(text.utf8))
        guard let reason = told?.error ?? told?.message else {
            return ControlFailure(.refused, "\(base) answered \(status), but not as a control API does")
        }
        // Busy or about to stop: the order was right, and may be given again.
        return ControlFailure(status == 503 ? .notStarted : .refused, reason)
    }
}
