import NIOCore
import NIOEmbedded
import NIOPosix
import PhoenixModel
import Testing

@testable import PhoenixWire

@Suite struct HTTP1ConnectionTests {
    private func post(_ body: String, _ path: String = "/echo", _ more: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func echoesABodyOverASocket() async throws {
        let echo = Echo()
        try await withServer(table(["/echo": echo])) { server, group in
            let client = try await RawClient(server.address, group)
            let body = String(repeating: "0123456789", count: 30_000)
            try await client.send(post(body))
            let answer = await client.receive { bytes, _ in bytes.count > 300_000 }
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("content-length: 300000\r\n"))
            #expect(answer.hasSuffix("0123456789"))
            #expect(echo.bodies == [body])
        }
    }

    @Test func takesAHeadByteByByte() throws {
        let echo = Echo()
        let server = try EmbeddedServer(table(["/echo": echo]))
        for byte in post("hello", "/echo?x=1").utf8 { try server.send([byte]) }
        #expect(try server.text().hasSuffix("\r\n\r\nhello"))
        #expect(echo.bodies == ["hello"])
        server.finish()
    }

    @Test func answersPipelinedRequestsInOrder() throws {
        let later = Later()
        let server = try EmbeddedServer(table(["/echo": Echo(), "/later": later]))
        try server.send(post("1", "/later") + post("2") + post("3", "/later") + post("4"))
        #expect(try server.text() == "")
        #expect(later.count == 1)
        later.take()?.respond(.text(200, "one"))
        let first = try server.text()
        #expect(first.contains("\r\n\r\none") && first.hasSuffix("\r\n\r\n2"))
        later.take()?.respond(.text(200, "three"))
        #expect(try server.text().hasSuffix("\r\n\r\n4"))
        server.finish()
    }

    @Test func readsAheadOnlySoFar() async throws {
        var configuration = HTTPConfiguration()
        configuration.pipelineLimit = 1024
        let later = Later()
        let server = try EmbeddedServer(
            table(["/later": later, "/echo": Echo()]),
            configuration: configuration
        )
        try server.send(post("1", "/later"))
        #expect(server.handler.isReading == true)
        try server.send(String(repeating: post("x"), count: 100))
        #expect(server.handler.isReading == false)
        later.take()?.respond(HTTPResponse(200))
        #expect(server.handler.isReading == true)
        #expect(try server.text().components(of: "HTTP/1.1 200") == 101)
        server.finish()
    }

    @Test func decodesChunks() throws {
        let echo = Echo()
        let server = try EmbeddedServer(table(["/echo": echo]))
        let text =
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nx-sum: 1\r\n\r\n"
        try server.send(text)
        for byte in text.utf8 { try server.send([byte]) }
        #expect(echo.bodies == ["hello world", "hello world"])
        server.finish()
    }

    @Test func continuesOnlyAfterTheHeadIsAdmitted() throws {
        let server = try EmbeddedServer(table(["/echo": Echo(bodyLimit: 10)]))
        try server.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        #expect(try server.text() == "HTTP/1.1 100 Continue\r\n\r\n")
        try server.send("hello")
        #expect(try server.text().hasPrefix("HTTP/1.1 200"))
        try server.send(
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n"
        )
        let refused = try server.text()
        #expect(refused.hasPrefix("HTTP/1.1 413") && refused.contains("connection: close"))
        server.finish()
    }

    @Test func refusesWithoutReadingTheBodyAndLivesOn() throws {
        let server = try EmbeddedServer(table(["/get": HTTPClosure { _, _ in .text(200, "got") }]))
        try server.send("POST /get HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        let refused = try server.text()
        #expect(refused.hasPrefix("HTTP/1.1 405") && refused.contains("allow: GET\r\n"))
        try server.send("helloGET /get HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try server.text().hasSuffix("got"))
        try server.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try server.text().hasPrefix("HTTP/1.1 404"))
        server.finish()
    }

    @Test(arguments: [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "400"),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", "400"),
        ("Content-Length: 5, 5\r\n", "400"),
        ("Content-Length: +5\r\n", "400"),
        ("Content-Length: 0x5\r\n", "400"),
        ("Content-Length: -1\r\n", "400"),
        ("Content-Length: 99999999999999999999\r\n", "400"),
        ("Content-Length:\r\n", "400"),
        ("Content-Length : 5\r\n", "400"),
        ("Transfer-Encoding: gzip, chunked\r\n", "501"),
        ("Transfer-Encoding: xchunked\r\n", "501"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "400"),
        ("A: b\r\n continued\r\n", "400"),
        ("A: b\n", "400"),
        ("A: b\u{0}c\r\n", "400"),
        ("A b: c\r\n", "400"),
        (": c\r\n", "400"),
        ("Host: b\r\n", "400"),
        ("Expect: 200-ok\r\n", "417"),
    ])
    func refusesWhatTwoServersCouldReadInTwoWays(fields: String, status: String) throws {
        let echo = Echo()
        let server = try EmbeddedServer(table(["/echo": echo]))
        try server.send(
            "POST /echo HTTP/1.1\r\nHost: a\r\n\(fields)\r\nhelloGET /echo HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        let answer = try server.text()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains("connection: close"))
        #expect(answer.components(of: "HTTP/1.1 ") == 1)
        #expect(echo.bodies.isEmpty)
        server.finish()
    }

    @Test(arguments: [
        "g\r\n", "5\nhello", "5\r\nhelloX\n0\r\n\r\n", "-1\r\n", "\r\n", "5 \r\nhello\r\n",
        "1000000000000000\r\n",
    ])
    func refusesBadChunks(chunks: String) throws {
        let echo = Echo()
        let server = try EmbeddedServer(table(["/echo": echo]))
        try server.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)")
        #expect(try server.text().hasPrefix("HTTP/1.1 400"))
        #expect(echo.bodies.isEmpty)
        server.finish()
    }

    @Test(arguments: [
        ("GET /echo HTTP/1.1\r\n\r\n", "400"), ("GET  /echo HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET /echo HTTP/2.0\r\nHost: a\r\n\r\n", "505"), ("GET /echo\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}\r\n\r\n", "400"), ("G@T /echo HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ])
    func refusesBadRequestLines(text: String, status: String) throws {
        let server = try EmbeddedServer(table(["/echo": Echo()]))
        try server.send(text)
        #expect(try server.text().hasPrefix("HTTP/1.1 \(status)"))
        #expect(server.events.seen.count == 1)
        server.finish()
    }

    @Test func limitsHeadAndBody() throws {
        let server = try EmbeddedServer(table(["/echo": Echo(bodyLimit: 100)]))
        try server.send("GET /echo HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 20_000))")
        #expect(try server.text().hasPrefix("HTTP/1.1 431"))
        #expect(server.events.seen == [.headTooLarge])
        server.finish()

        let second = try EmbeddedServer(table(["/echo": Echo(bodyLimit: 100)]))
        try second.send(post(String(repeating: "x", count: 101)))
        #expect(try second.text().hasPrefix("HTTP/1.1 413"))
        try second.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try second.send(
            "40\r\n\(String(repeating: "x", count: 64))\r\n40\r\n\(String(repeating: "x", count: 64))"
        )
        #expect(try second.text().hasPrefix("HTTP/1.1 413"))
        second.finish()
    }

    @Test func answersOldAndAbsoluteForms() throws {
        let server = try EmbeddedServer(
            table(["/p": HTTPClosure { head, _ in .text(200, "\(head.path)?\(head.query ?? "-")") }])
        )
        try server.send(
            "GET http://h:1/p?a=b?c HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
        )
        #expect(try server.text().hasSuffix("/p?a=b?c"))
        try server.send("HEAD /p HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = try server.text()
        #expect(head.contains("content-length: 4\r\n") && head.hasSuffix("\r\n\r\n"))
        try server.send("GET /p HTTP/1.0\r\n\r\n")
        let old = try server.text()
        #expect(old.contains("connection: close") && old.hasSuffix("/p?-"))
        #expect(!server.channel.isActive)
    }

    @Test func shutGateHoldsTheBodyBack() throws {
        let gate = HTTPGate()
        let echo = Echo(gate: gate)
        let server = try EmbeddedServer(table(["/echo": echo]))
        gate.shut()
        try server.send(post("hello"))
        #expect(server.handler.isReading == false)
        #expect(echo.bodies.isEmpty)
        gate.open()
        #expect(try server.text().hasSuffix("hello"))
        #expect(server.handler.isReading == true)
        gate.shut()
        try server.send(post("again"))
        server.advance(200)
        #expect(try server.text().hasPrefix("HTTP/1.1 503"))
        server.finish()
    }

    @Test func aBodyThatAShutGateHoldsUpIsToBeSentAgain() throws {
        let gate = HTTPGate()
        gate.patience = .init(wait: .seconds(5))
        let server = try EmbeddedServer(table(["/echo": Echo(gate: gate)]))
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
        // A moment is within its patience, and does not count for the next.
        try server.send(head + "he")
        gate.shut()
        server.advance(4)
        gate.open()
        server.advance(3)
        gate.shut()
        server.advance(4)
        gate.open()
        try server.send("llo")
        #expect(try server.text().hasSuffix("hello"))

        try server.send(head + "he")
        gate.shut()
        server.advance(8)
        #expect(try server.text().hasPrefix("HTTP/1.1 503"))
        #expect(server.events.seen == [.timeout(.request)])
    }

    @Test func timesOut() throws {
        let server = try EmbeddedServer(table(["/later": Later()]))
        server.advance(62)
        #expect(!server.channel.isActive)
        #expect(server.events.seen == [.timeout(.idle)])

        let slowHead = try EmbeddedServer(table([:]))
        try slowHead.send("GET / HT")
        slowHead.advance(62)
        #expect(try slowHead.text().hasPrefix("HTTP/1.1 408"))

        let slowBody = try EmbeddedServer(table(["/later": Later()]))
        try slowBody.send("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nh")
        slowBody.advance(122)
        #expect(try slowBody.text().hasPrefix("HTTP/1.1 408"))

        let slowHandler = try EmbeddedServer(table(["/later": Later()]))
        try slowHandler.send(post("x", "/later"))
        slowHandler.advance(122)
        #expect(try slowHandler.text().hasPrefix("HTTP/1.1 503"))
        #expect(slowHandler.events.seen == [.timeout(.handler)])
    }

    @Test func letsGoOfAResponderMeans500() throws {
        let later = Later()
        let server = try EmbeddedServer(table(["/later": later]))
        try server.send(post("x", "/later"))
        later.take().map { _ in () }
        #expect(try server.text().hasPrefix("HTTP/1.1 500"))
        #expect(server.events.seen == [.unanswered])
        server.finish()
    }

    @Test func tellsThatThePeerIsGone() throws {
        let later = Later()
        let server = try EmbeddedServer(table(["/later": later]))
        try server.send(post("x", "/later"))
        let responder = try #require(later.take())
        #expect(!responder.isPeerGone)
        server.finish()
        #expect(responder.isPeerGone)
        responder.respond(HTTPResponse(200))
        #expect(server.events.seen.isEmpty)
    }

    @Test func streamsAtThePaceOfThePeer() async throws {
        let pulled = Lock(0)
        let handler = HTTPClosure { _, _ in
            HTTPResponse(
                200,
                [:],
                .stream(
                    HTTPBodyStream {
                        let count = pulled.withLock { count in
                            count += 1
                            return count
                        }
                        if count > 200 { return .end(trailers: nil) }
                        return .bytes(ByteBuffer(repeating: 65, count: 256 << 10))
                    }
                )
            )
        }
        try await withServer(table(["/big": handler])) { server, group in
            let client = try await RawClient(server.address, group)
            try await client.send("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let all = await client.receiveToEnd()
            #expect(all.utf8.count > 50 << 20)
            #expect(all.hasSuffix("\r\n0\r\n\r\n"))
        }
    }

    @Test func drainsGracefully() async throws {
        let later = Later()
        try await withServer(table(["/later": later, "/echo": Echo()])) { server, group in
            let client = try await RawClient(server.address, group)
            try await client.send(post("x") + post("x", "/later"))
            _ = await client.receive(until: "\r\n\r\nx")
            var responder = later.take()
            while responder == nil {
                await Task.yield()
                responder = later.take()
            }
            async let closed: Void = server.close(within: .seconds(60))
            responder?.respond(.text(200, "done"))
            await closed
            #expect(await client.receiveToEnd().hasSuffix("done"))
            #expect(server.connectionCount == 0)
        }
    }

    @Test func listensOnAUnixSocket() async throws {
        let path = "/tmp/phoenix-wire-\(UInt32.random(in: 0...UInt32.max)).sock"
        let group = MultiThreadedEventLoopGroup.singleton
        let server = HTTPServer(group: group)
        let bound = try await server.bind(.unix(path), routes: table(["/echo": Echo()]))
        #expect(bound.address == .unix(path))
        let client = try await RawClient(bound.address, group)
        try await client.send(post("x"))
        #expect(await client.receive(until: "\r\n\r\nx").hasPrefix("HTTP/1.1 200"))
        await bound.close(within: .zero)
    }

    @Test func readsAddresses() {
        #expect(HTTPAddress("127.0.0.1:4318") == .tcp(host: "127.0.0.1", port: 4318))
        #expect(HTTPAddress("[::1]:80")?.description == "[::1]:80")
        #expect(HTTPAddress(":80") == .tcp(host: "0.0.0.0", port: 80))
        #expect(HTTPAddress("unix:/a/b") == .unix("/a/b"))
        for bad in ["", "a", "a:", "a:99999", "::1:80", "unix:"] { #expect(HTTPAddress(bad) == nil) }
    }

    @Test func refusesConnectionsOverTheLimit() async throws {
        var configuration = HTTPConfiguration()
        configuration.maxConnections = 1
        let events = EmbeddedServer.Events()
        try await withServer(
            table(["/echo": Echo()]),
            configuration: configuration,
            events: { events.add($0) }
        ) {
            server,
            group in
            let first = try await RawClient(server.address, group)
            try await first.send(post("x"))
            _ = await first.receive(until: "\r\n\r\nx")
            let second = try await RawClient(server.address, group)
            #expect(await second.receiveToEnd() == "")
            #expect(events.seen == [.connectionLimit])
        }
    }
}

extension String {
    func components(of word: String) -> Int {
        let (text, word) = (Array(utf8), Array(word.utf8))
        return text.indices.count { text[$0...].starts(with: word) }
    }
}
