import NIOPosix
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// The real client at real servers that send it elsewhere.
@Suite struct RedirectFollowerTests {
    /// A server of pages and redirections that remembers who asked for what.
    private final class Site: HTTPHandler {
        struct Visit: Sendable, Equatable {
            var path: String
            var authorization: String?
        }
        private let redirections: Lock<[String: (Int, String)]>
        private let seen = Lock([Visit]())
        init(_ redirections: [String: (Int, String)] = [:]) { self.redirections = Lock(redirections) }
        var visits: [Visit] { seen.withLock { $0 } }
        func lead(_ path: String, to location: String) {
            redirections.withLock { $0[path] = (302, location) }
        }

        func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
            let path = request.head.path
            let visit = Visit(path: path, authorization: request.head.fields["authorization"])
            seen.withLock { $0.append(visit) }
            guard let (status, location) = redirections.withLock({ $0[path] }) else {
                return responder.respond(.text(200, "x 1\n"))
            }
            responder.respond(HTTPResponse(status, ["location": location]))
        }
    }
    /// Runs `body` with sites that are served, each at an address of its own.
    private static func serving(
        _ sites: [Site],
        _ body: (any ScrapeClient, _ origins: [String]) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = HTTPServer(group: group)
        var bound: [BoundServer] = []
        for site in sites {
            var routes = RouteTable.Routes()
            routes.prefixes["/"] = site
            bound.append(try await server.bind(.tcp(host: "127.0.0.1", port: 0), routes: RouteTable(routes)))
        }
        let client = HTTPScrapeClient()
        do { try await body(RedirectFollower(client: client), bound.map { "http://\($0.address)" }) } catch {
            Issue.record(error)
        }
        try await client.close()
        for one in bound { await one.close(within: .zero) }
        try await group.shutdownGracefully()
    }
    private static func request(_ url: String, _ headers: [String: String] = [:]) -> ScrapeRequest {
        ScrapeRequest(url: url, headers: headers, bodyLimit: 1000, timeout: .seconds(60))
    }

    static let nowhere: [(String, WebURL.Flaw)] = [
        ("http://127.0.0.1:99999/metrics", .port), ("//127.0.0.1:99999/metrics", .port),
        ("http://[]/", .host), ("file:///etc/hosts", .scheme), ("http+unix://%2Frun%2Fa/b", .scheme),
    ]
    @Test(arguments: nowhere) func whereNobodyCanGoIsAFailure(
        _ location: String,
        _ flaw: WebURL.Flaw
    ) async throws {
        let site = Site(["/metrics": (302, location)])
        try await Self.serving([site]) { client, origins in
            let error = await #expect(throws: ScrapeProblem.self) {
                _ = try await client.get(Self.request("\(origins[0])/metrics"))
            }
            // Foundation may find no URL at all in a text that is none.
            #expect(error == .redirect(flaw) || error == .redirect(.characters))
            #expect(site.visits.map(\.path) == ["/metrics"])
        }
    }
    @Test(arguments: [301, 302, 303, 307, 308]) func relativeOnesAreFollowed(_ status: Int) async throws {
        let site = Site(["/a/metrics": (status, "../b/metrics?x=1"), "/b/metrics": (status, "/c")])
        try await Self.serving([site]) { client, origins in
            let headers = ["authorization": "Bearer x"]
            let response = try await client.get(Self.request("\(origins[0])/a/metrics", headers))
            #expect(response.status == 200)
            #expect(String(decoding: response.body, as: UTF8.self) == "x 1\n")
            #expect(site.visits.map(\.path) == ["/a/metrics", "/b/metrics", "/c"])
            #expect(site.visits.allSatisfy { $0.authorization == "Bearer x" })
        }
    }
    @Test func aCircleEndsAfterFive() async throws {
        let site = Site(["/a": (302, "/b"), "/b": (302, "/a")])
        try await Self.serving([site]) { client, origins in
            await #expect(throws: ScrapeProblem.redirects(limit: 5)) {
                _ = try await client.get(Self.request("\(origins[0])/a"))
            }
            #expect(site.visits.count == 6)
        }
    }
    @Test func anotherOriginIsNotToldWhoAsks() async throws {
        let (home, other) = (Site(), Site())
        try await Self.serving([home, other]) { client, origins in
            home.lead("/a", to: "\(origins[1])/b")
            other.lead("/b", to: "\(origins[0])/c")
            let headers = ["Authorization": "Bearer x", "accept": "text/plain"]
            let response = try await client.get(Self.request("\(origins[0])/a", headers))
            #expect(response.status == 200)
            #expect(home.visits.map(\.authorization) == ["Bearer x", nil])
            #expect(other.visits == [.init(path: "/b", authorization: nil)])
        }
    }
    @Test func othersAreAnswersLikeAnyOther() async throws {
        let site = Site(["/a": (304, "/b"), "/c": (302, "")])
        try await Self.serving([site]) { client, origins in
            #expect(try await client.get(Self.request("\(origins[0])/a")).status == 304)
            #expect(try await client.get(Self.request("\(origins[0])/c")).status == 302)
            // Alone, the client follows nothing.
            site.lead("/d", to: "http://127.0.0.1:99999")
            let alone = HTTPScrapeClient()
            let status = try await alone.get(Self.request("\(origins[0])/d")).status
            try await alone.close()
            #expect(status == 302)
        }
    }
    @Test func webhooksFollowNothing() async throws {
        let site = Site(["/a": (307, "http://127.0.0.1:99999/b")])
        try await Self.serving([site]) { _, origins in
            let status = try await HTTPWebhookClient().post(
                [],
                to: "\(origins[0])/a",
                [:],
                within: .seconds(60)
            )
            #expect(status == 307)
            #expect(WebhookQueue.Outcome(status: status) == .refused)
            await #expect(throws: WebURL.Flaw.port) {
                _ = try await HTTPWebhookClient().post(
                    [],
                    to: "http://127.0.0.1:99999",
                    [:],
                    within: .seconds(60)
                )
            }
        }
    }
    @Test func aPortThatIsNoneIsNoAddress() async throws {
        let client = HTTPScrapeClient()
        await #expect(throws: ScrapeProblem.address(.port)) {
            _ = try await client.get(Self.request("http://127.0.0.1:99999/metrics"))
        }
        try await client.close()
    }
    @Test func whereNobodyListensIsSaidInWords() async throws {
        let client = HTTPScrapeClient()
        // Port 1 is for root, and nobody uses it.
        await #expect(throws: ScrapeProblem.connection("the connection failed: connection refused")) {
            _ = try await client.get(Self.request("http://127.0.0.1:1/metrics"))
        }
        try await client.close()
    }
}
