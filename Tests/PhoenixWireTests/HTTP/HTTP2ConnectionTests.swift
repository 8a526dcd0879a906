import CNGHTTP2
import NIOCore
import PhoenixModel
import Testing

@testable import PhoenixWire

@Suite struct HTTP2ConnectionTests {
    private func configured(_ change: (inout HTTPConfiguration) -> Void) -> HTTPConfiguration {
        var configuration = HTTPConfiguration()
        change(&configuration)
        return configuration
    }

    @Test(arguments: [1, 7, Int.max])
    func servesTheHandlersOfHTTP1(piece: Int) throws {
        let echo = Echo()
        let client = HTTP2Client(try EmbeddedServer(table(["/echo": echo])))
        let body = Array(String(repeating: "0123456789", count: 100).utf8)
        let first = client.request("POST", "/echo?q", [("content-type", "a/b")], body: body)
        let second = client.request("GET", "/none")
        let third = client.request("HEAD", "/echo")
        try client.exchange(piece: piece)
        #expect(client.answers[first]?.status == 200)
        #expect(client.answers[first]?.body == body)
        #expect(client.answers[first]?.fields["content-length"] == "1000")
        #expect(client.answers[first]?.closed == 0)
        #expect(client.answers[second]?.status == 404)
        #expect(client.answers[third]?.body == [] && client.answers[third]?.closed == 0)
    }

    @Test func takesLargeBodies() throws {
        let echo = Echo()
        let client = HTTP2Client(try EmbeddedServer(table(["/echo": echo])), window: 1 << 20)
        let body = [UInt8](repeating: 97, count: 9 << 20)
        let answer = try client.call("POST", "/echo", body: body)
        #expect(answer.body.count == body.count && answer.closed == 0)
    }

    @Test func limitsBodyHeadAndStreams() throws {
        let later = Later()
        let configuration = configured { $0.http2.maxConcurrentStreams = 2 }
        let routes = table(["/echo": Echo(bodyLimit: 10), "/later": later])
        let client = HTTP2Client(try EmbeddedServer(routes, configuration: configuration))
        try client.exchange()
        #expect(
            try client.call(
                "POST",
                "/echo",
                [("content-length", "11")],
                body: [UInt8](repeating: 1, count: 11)
            ).status == 413
        )
        let large = try client.call("POST", "/echo", body: [UInt8](repeating: 1, count: 1 << 20))
        #expect(large.status == 413)
        #expect(try client.call("GET", "/echo", [("x", String(repeating: "y", count: 17_000))]).status == 431)
        #expect(try client.call("POST", "/echo", body: [1]).status == 200)
    }

    @Test func answersFromAnyThreadAndFailsWhatIsLetGo() throws {
        let later = Later()
        let server = try EmbeddedServer(table(["/later": later]))
        let client = HTTP2Client(server)
        let first = client.request("GET", "/later")
        let second = client.request("GET", "/later")
        try client.exchange()
        #expect(client.answers[first] == nil)
        later.take()?.respond(.text(200, "one"))
        _ = later.take()
        try client.exchange()
        #expect(client.answers[first]?.text == "one")
        #expect(client.answers[second]?.status == 500)
        #expect(server.events.seen == [.unanswered])
    }

    @Test func tellsThatTheStreamIsGone() throws {
        let later = Later()
        let server = try EmbeddedServer(table(["/later": later]))
        let client = HTTP2Client(server)
        let id = client.request("GET", "/later")
        try client.exchange()
        let responder = try #require(later.take())
        client.reset(id)
        try client.exchange()
        #expect(responder.isPeerGone)
        responder.respond(HTTPResponse(200))
        try client.exchange()
        #expect(server.events.seen.isEmpty)
    }

    @Test func shutGateClosesTheWindow() throws {
        let gate = HTTPGate()
        let echo = Echo(gate: gate)
        let configuration = configured {
            $0.http2.streamWindow = 100_000
            $0.http2.connectionWindow = 150_000
        }
        let routes = table(["/echo": echo, "/other": HTTPClosure { _, _ in .text(200, "fine") }])
        let client = HTTP2Client(try EmbeddedServer(routes, configuration: configuration))
        try client.exchange()
        gate.shut()
        let first = client.request("POST", "/echo", body: [UInt8](repeating: 97, count: 300_000))
        let small = client.request("POST", "/echo", body: [98])
        try client.exchange()
        #expect(client.uploaded(first) == 100_000)
        #expect(echo.bodies.isEmpty)
        #expect(try client.call("GET", "/other").text == "fine")
        gate.open()
        try client.exchange()
        #expect(client.answers[first]?.body.count == 300_000)
        #expect(client.answers[small]?.text == "b")
    }

    @Test func aBodyThatAShutGateHoldsUpIsToBeSentAgain() throws {
        let gate = HTTPGate()
        gate.patience = .init(wait: .seconds(5))
        let configuration = configured { $0.http2.streamWindow = 100_000 }
        let server = try EmbeddedServer(table(["/echo": Echo(gate: gate)]), configuration: configuration)
        let client = HTTP2Client(server)
        try client.exchange()
        gate.shut()
        let body = [UInt8](repeating: 97, count: 300_000)
        let (first, second) = (client.request("POST", "/echo", body: body), client.request("POST", "/echo", body: body))
        try client.exchange()
        #expect(client.uploaded(first) == 100_000)
        server.advance(4)
        try client.exchange()
        #expect(client.answers[first] == nil)
        server.advance(4)
        try client.exchange()
        #expect(client.answers[first]?.status == 503 && client.answers[second]?.status == 503)
        gate.open()
        try client.exchange()
        #expect(try client.call("POST", "/echo", body: body).body.count == 300_000)
    }

    @Test func refusedBodiesGiveTheWindowBack() throws {
        let server = try EmbeddedServer(table(["/echo": Echo(bodyLimit: 10)]))
        let client = HTTP2Client(server)
        for _ in 0..<100 {
            let id = client.request("POST", "/none", body: [UInt8](repeating: 1, count: 1 << 20))
            try client.exchange()
            #expect(client.answers[id]?.status == 404)
        }
        #expect(try client.call("POST", "/echo", body: [1]).status == 200)
    }

    @Test func streamsWithinThePeersWindow() throws {
        let pulled = Lock(0)
        let handler = HTTPClosure { _, _ in
            let body = HTTPBodyStream {
                let count = pulled.withLock { count in
                    count += 1
                    return count
                }
                return count > 20
                    ? .end(trailers: ["x": "y"]) : .bytes(ByteBuffer(repeating: 65, count: 100_000))
            }
            return HTTPResponse(200, [:], .stream(body))
        }
        let client = HTTP2Client(try EmbeddedServer(table(["/big": handler])), window: 150_000)
        client.holdsBack = true
        let id = client.request("GET", "/big")
        try client.exchange()
        #expect(client.answers[id]?.body.count == 65_535)
        #expect(pulled.withLock { $0 } == 1)
        client.consume(id)
        try client.exchange()
        #expect(client.answers[id]?.body.count == 2_000_000)
        #expect(client.answers[id]?.trailers == ["x": "y"])
    }

    @Test func failedBodiesAreSeenToFail() throws {
        let handler = HTTPClosure { _, _ in
            HTTPResponse(200, [:], .stream(HTTPBodyStream(length: 5) { .failed }))
        }
        let server = try EmbeddedServer(table(["/bad": handler]))
        let answer = try HTTP2Client(server).call("GET", "/bad")
        #expect(answer.closed == NGHTTP2_INTERNAL_ERROR.rawValue)
        #expect(server.events.seen == [.bodyFailed])
    }

    @Test func sendsAwayWhoPingsTooOften() throws {
        let server = try EmbeddedServer(table(["/echo": Echo()]))
        let client = HTTP2Client(server)
        for _ in 0..<3 {
            client.ping()
            try client.exchange()
        }
        #expect(client.pings == 3 && client.goaways.isEmpty)
        _ = try client.call("GET", "/echo")
        for _ in 0..<4 {
            client.ping()
            try client.exchange()
        }
        #expect(client.goaways.first?.code == NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
        #expect(client.goaways.first?.text == "too_many_pings")
        #expect(!server.channel.isActive)
    }

    @Test func sendsAwayWhoTakesBackTooMuch() throws {
        let later = Later()
        let configuration = configured { $0.http2.resetLimit = 50 }
        let server = try EmbeddedServer(table(["/later": later]), configuration: configuration)
        let client = HTTP2Client(server)
        for _ in 0..<60 where server.channel.isActive {
            let id = client.request("GET", "/later")
            try client.exchange()
            client.reset(id)
            try client.exchange()
            _ = later.take()
        }
        #expect(client.goaways.first?.code == NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
        #expect(!server.channel.isActive)
    }

    @Test func drainsInTwoSteps() throws {
        let later = Later()
        let server = try EmbeddedServer(table(["/later": later]))
        let client = HTTP2Client(server)
        let id = client.request("GET", "/later")
        try client.exchange()
        server.handler.drain()
        try client.exchange()
        #expect(client.goaways.map(\.last) == [Int32.max, id])
        #expect(server.channel.isActive)
        later.take()?.respond(.text(200, "last"))
        try client.exchange()
        #expect(client.answers[id]?.text == "last")
        #expect(!server.channel.isActive)
    }

    @Test func timesOut() throws {
        let later = Later()
        let server = try EmbeddedServer(table(["/later": later, "/echo": Echo()]))
        let client = HTTP2Client(server)
        let handled = client.request("GET", "/later")
        let slow = client.request("POST", "/echo", body: [1], ends: false)
        try client.exchange()
        server.advance(130)
        try client.exchange()
        #expect(client.answers[handled]?.status == 503)
        #expect(client.answers[slow]?.status == 408)
        #expect(Set(server.events.seen.map(String.init(describing:))).count == 2)
        server.advance(301)
        try client.exchange()
        #expect(client.goaways.first?.code == 0)
        #expect(!server.channel.isActive)
    }

    @Test func endsOnNonsense() throws {
        let server = try EmbeddedServer(table([:]))
        try server.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense nonsense nonsense")
        _ = try server.take()
        #expect(!server.channel.isActive)
        #expect(!server.events.seen.isEmpty)
    }
}
