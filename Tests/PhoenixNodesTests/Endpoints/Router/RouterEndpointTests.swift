import Foundation
import Hummingbird
import Logging
import NIOPosix
import PhoenixGraph
import PhoenixRuntime
import PhoenixWire
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@testable import PhoenixNodes

/// An API behind the real server, on a socket.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RouterEndpointTests {
    struct Answer: Equatable {
        var status: Int
        var body: String
        var fields: [String: String]
    }
    /// Asks the server, with the token unless told otherwise.
    struct Caller: Sendable {
        var base: String
        private let session = URLSession(configuration: .ephemeral)

        init(base: String) { self.base = base }

        func callAsFunction(
            _ method: String,
            _ path: String,
            body: String? = nil,
            token: String? = "s3cret",
            fields: [String: String] = [:]
        ) async throws -> Answer {
            var request = URLRequest(url: try #require(URL(string: base + path)))
            request.httpMethod = method
            request.httpBody = body.map { Data($0.utf8) }
            if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
            for (name, value) in fields { request.setValue(value, forHTTPHeaderField: name) }
            let (data, response) = try await session.data(for: request)
            let http = try #require(response as? HTTPURLResponse)
            var answer = Answer(
                status: http.statusCode,
                body: String(decoding: data, as: UTF8.self),
                fields: [:]
            )
            for (name, value) in http.allHeaderFields { answer.fields["\(name)".lowercased()] = "\(value)" }
            return answer
        }
    }

    /// Serves an API under `/api/*`, and openly under `/open`, while `body` asks.
    private func serving(_ body: (Caller) async throws -> Void) async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let api = RoutedAPI(
            time: SystemTime(),
            logger: quiet,
            token: Secret("s3cret"),
            limits: .init(bodyBytes: 100)
        ) { router in
            router.get("api/echo/{word}") { request, context in
                try context.parameters.require("word") + (request.uri.query ?? "")
            }
            router.post("api/echo") { request, _ in
                String(buffer: try await request.body.collect(upTo: .max))
            }
            router.get("open") { _, _ in "open" }
        }
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listeners = Listeners(WireServerProvider(HTTPServer(group: loops)))
        let address = ListenAddress.tcp(host: "127.0.0.1", port: 0)
        listeners.attach(address.text, paths: ["/api/*"], api.endpoint(on: address), owner: "test")
        listeners.attach(
            address.text,
            paths: ["/open"],
            api.endpoint(on: address, isOpen: true),
            owner: "test"
        )
        try await listeners.commit()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await api.serve() }
            defer { api.close() }
            try await body(Caller(base: "http://" + listeners.bound[0]))
        }
        await listeners.close(within: .seconds(1))
        try await loops.shutdownGracefully()
    }

    @Test func parametersQueriesAndBodiesArrive() async throws {
        try await serving { ask in
            #expect(try await ask("GET", "/api/echo/hi?x=1").body == "hix=1")
            #expect(try await ask("POST", "/api/echo", body: "{}").body == "{}")
            let head = try await ask("HEAD", "/api/echo/hi")
            #expect(head.status == 200)
            #expect(head.body == "")
            #expect(head.fields["content-length"] == "2")
        }
    }

    @Test func withoutTheTokenOnlyOpenPathsAnswer() async throws {
        try await serving { ask in
            #expect(try await ask("GET", "/open", token: nil).body == "open")
            let refused = try await ask("GET", "/api/echo/hi", token: nil)
            #expect(refused.status == 401)
            #expect(refused.fields["www-authenticate"] == "Bearer realm=\"phoenix\"")
            #expect(refused.fields["content-type"] == "application/json")
            #expect(try await ask("GET", "/api/none", token: "other").status == 401)
        }
    }

    @Test func whatTheServerFindsIsSaidInJSONToo() async throws {
        try await serving { ask in
            let large = try await ask("POST", "/api/echo", body: String(repeating: "x", count: 101))
            #expect(large.status == 413)
            #expect(large.body == #"{"error":"the request body is larger than the limit of 100 bytes"}"#)
            let coded = ["Content-Encoding": "gzip"]
            #expect(try await ask("POST", "/api/echo", body: "x", fields: coded).status == 415)
            #expect(try await ask("PUT", "/api/echo").fields["allow"] == "POST")
            let none = try await ask("GET", "/api/none")
            #expect(none.status == 404)
            #expect(none.body == #"{"error":"nothing is served under /api/none"}"#)
        }
    }

    @Test(arguments: [
        ("127.0.0.1:13134", true), ("localhost:13134", true), ("LOCALHOST", true), ("[::1]:13134", true),
        ("[::1]", true), ("10.1.2.3", true), ("", true), (":80", true), ("evil.example:13134", false),
        ("evil.example", false), ("localhost.evil.example:1", false), ("127.0.0.1.evil.example", false),
        ("[::1", false), ("[evil]:1", false),
    ])
    func onlyAddressesAndLocalhostAreOfThisMachine(_ authority: String, _ isOne: Bool) {
        #expect(RouterEndpoint.isOfThisMachine(authority) == isOne)
    }

    @Test func pagesOfOtherSitesAreRefused() async throws {
        try await serving { ask in
            let other = ["Origin": "https://elsewhere.example"]
            let refused = try await ask("POST", "/api/echo", body: "x", fields: other)
            #expect(refused.status == 403)
            let own = ["Origin": ask.base]
            let taken = try await ask("POST", "/api/echo", body: "x", fields: own)
            #expect(taken.status == 200)
        }
    }
}
