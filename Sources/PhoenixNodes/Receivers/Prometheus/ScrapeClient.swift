import AsyncHTTPClient
import NIOCore
import PhoenixGraph
import PhoenixRuntime
import PhoenixWire

/// Fetches pages: the world outside, which tests replace.
protocol ScrapeClient: Sendable {
    /// Answers whatever the status; throws `ScrapeProblem` where there is no whole answer.
    func get(_ request: ScrapeRequest) async throws -> ScrapeResponse
}

extension ScrapeClient {
    /// The answer within the request's timeout; nil when the node is stopped meanwhile.
    func get(
        _ request: ScrapeRequest,
        unless stop: StopSignal,
        _ time: any TimeSource
    ) async throws -> ScrapeResponse? {
        try await withThrowingTaskGroup(of: ScrapeResponse?.self) { group in
            group.addTask { try await get(request) }
            group.addTask {
                try await time.sleep(for: request.timeout)
                throw ScrapeProblem.timeout(request.timeout)
            }
            group.addTask {
                await stop.wait()
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}

struct ScrapeRequest: Sendable, Hashable {
    var url: String
    var headers: [String: String]
    /// The most bytes of a body, as it is sent; one byte more is an error.
    var bodyLimit: Int
    var timeout: Duration
}
struct ScrapeResponse: Sendable {
    var status: Int
    /// Names in small letters.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
}

/// Why a page could not be had.
enum ScrapeProblem: Error, Hashable, CustomStringConvertible {
    case status(Int)
    case contentType(String?)
    /// More bytes than the request took.
    case tooLarge(limit: Int)
    case coding(String)
    case timeout(Duration)
    case noMemory
    case targetLimit(Int)
    case connection(String)
    case address(WebURL.Flaw)
    case redirect(WebURL.Flaw)
    case redirects(limit: Int)

    var description: String {
        switch self {
        case .status(let code): "the target answered \(code), not 200"
        case .contentType(nil):
            "the answer has no content-type; set `fallback_scrape_protocol` if the target cannot send one"
        case .contentType(let type?):
            "the content-type `\(type)` is no exposition; set `fallback_scrape_protocol` if it is one all the same"
        case .tooLarge(let limit): "the answer has \(limit + 1) bytes or more; raise `body_size_limit`"
        case .coding(let reason): "the answer cannot be decompressed: \(reason)"
        case .timeout(let limit): "no whole answer within \(limit.text)"
        case .noMemory: "the engine is short of memory (`memory_limiter`); the scrape was left out"
        case .targetLimit(let limit):
            "there are more than \(limit) targets; raise `target_limit` or drop some by `relabel_configs`"
        case .connection(let reason): reason
        case .address(let flaw): "its URL \(flaw)"
        case .redirect(let flaw): "it redirects to a URL that \(flaw)"
        case .redirects(let limit):
            "it redirects more than \(limit) times; name the address where the page is, or turn `follow_redirects` off"
        }
    }
}

/// The one client of a node: bounded connections, no waiting without end. Redirections are answers like any other.
final class HTTPScrapeClient: ScrapeClient {
    private let client: HTTPClient

    init() {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: .seconds(60))
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
    /// Must be called once, at the end.
    func close() async throws { try await client.shutdown() }

    func get(_ request: ScrapeRequest) async throws -> ScrapeResponse {
        let url: WebURL
        do throws(WebURL.Flaw) { url = try WebURL(request.url) } catch { throw ScrapeProblem.address(error) }
        var message = HTTPClientRequest(url: url.text)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        do {
            let timeout = TimeAmount.nanoseconds(Int64(clamping: request.timeout.nanoseconds))
            let answer = try await client.execute(message, timeout: timeout)
            var response = ScrapeResponse(status: Int(answer.status.code))
            for (name, value) in answer.headers { response.headers[name.lowercased()] = value }
            guard response.status == 200 else { return response }
            let body = try await answer.body.collect(upTo: request.bodyLimit)
            response.body = Array(body.readableBytesView)
            return response
        } catch is NIOTooManyBytesError {
            throw ScrapeProblem.tooLarge(limit: request.bodyLimit)
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
            throw ScrapeProblem.timeout(request.timeout)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw ScrapeProblem.connection("the connection failed: \(ConnectionTrouble(error))")
        }
    }
}

extension ContentCoding {
    /// A body with its coding undone, within a limit.
    static func decoded(_ response: ScrapeResponse, limit: Int) throws(ScrapeProblem) -> [UInt8] {
        guard let coding = ContentCoding(response.headers["content-encoding"]) else {
            throw .coding("`\(response.headers["content-encoding"] ?? "")` is not known here")
        }
        if coding == .identity { return response.body }
        do {
            return try response.body.withUnsafeBytes { bytes in
                try Inflater().withInflated(bytes, coding, limit: limit) { Array($0) }
            }
        } catch InflateError.tooLarge {
            throw .tooLarge(limit: limit)
        } catch {
            throw .coding("\(error)")
        }
    }
}
