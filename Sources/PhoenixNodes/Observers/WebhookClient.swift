import AsyncHTTPClient
import NIOCore
import PhoenixGraph
import PhoenixRuntime

/// Posts bodies to an address: the world outside, which tests replace.
protocol WebhookClient: Sendable {
    /// Answers the status, or throws where there was no answer.
    func post(
        _ body: [UInt8],
        to url: String,
        _ headers: [String: String],
        within deadline: Duration
    ) async throws -> Int
}

/// By a client that the whole process shares, and which needs no end. Redirections are answers like any other.
struct HTTPWebhookClient: WebhookClient {
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    func post(
        _ body: [UInt8],
        to url: String,
        _ headers: [String: String],
        within deadline: Duration
    ) async throws -> Int {
        let url = try WebURL(url)
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        request.body = .bytes(body)
        let limit = TimeAmount.nanoseconds(Int64(clamping: deadline.nanoseconds))
        let response = try await Self.client.execute(request, timeout: limit)
        // The body says nothing that we need, but the connection is free only once it was read.
        for try await _ in response.body {}
        return Int(response.status.code)
    }
}

extension WebhookQueue.Outcome {
    init(status: Int) {
        switch status {
        case 200..<300: self = .delivered
        case 408, 429, 500...: self = .failed
        default: self = .refused
        }
    }
}
