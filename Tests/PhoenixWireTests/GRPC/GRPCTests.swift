import NIOCore
import PhoenixModel
import Testing

@testable import PhoenixWire

/// Answers with the message that came, or as told.
private final class EchoMethod: GRPCMethod {
    let messageLimit = 1000
    let refusal: GRPCStatus?
    let kept = Lock([GRPCResponder]())
    let refusals = Lock([GRPCRefusal]())
    let keeps: Bool
    init(refusal: GRPCStatus? = nil, keeps: Bool = false) {
        self.refusal = refusal
        self.keeps = keeps
    }
    func admit(_ head: HTTPRequestHead, loop: Int) -> GRPCStatus? { refusal }
    func handle(_ call: GRPCCall, message: UnsafeRawBufferPointer, _ responder: GRPCResponder) {
        if keeps { return kept.withLock { $0.append(responder) } }
        responder.respond(Array(message))
    }
    func refused(_ refusal: GRPCRefusal, _ message: String, _ head: HTTPRequestHead, peer: String?) {
        refusals.withLock { $0.append(refusal) }
    }
}

@Suite struct GRPCTests {
    private func frame(_ message: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        let count = message.count
        return [
            flag, UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255),
        ] + message
    }

    private func gzip(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { Deflater().deflate($0) }.map { Array($0.readableBytesView) } ?? []
    }

    private func client(_ method: EchoMethod = EchoMethod()) throws -> HTTP2Client {
        var routes = RouteTable.Routes()
        routes.grpc["/s/m"] = method
        return HTTP2Client(try EmbeddedServer(RouteTable(routes)))
    }

    private func call(
        _ body: [UInt8]?,
        _ more: [(String, String)] = [],
        method: EchoMethod = EchoMethod(),
        path: String = "/s/m",
        type: String = "application/grpc",
        verb: String = "POST"
    ) throws -> HTTP2Client.Answer {
        try client(method).call(verb, path, [("content-type", type), ("te", "trailers")] + more, body: body)
    }

    @Test(arguments: [1, 3, Int.max])
    func answersAMessage(piece: Int) throws {
        let client = try client()
        let id = client.request(
            "POST",
            "/s/m",
            [("content-type", "application/grpc+proto")],
            body: frame([1, 2, 3])
        )
        try client.exchange(piece: piece)
        let answer = try #require(client.answers[id])
        #expect(answer.status == 200)
        #expect(answer.fields["content-type"] == "application/grpc+proto")
        #expect(answer.body == frame([1, 2, 3]))
        #expect(answer.trailers == ["grpc-status": "0"])
        #expect(try call(frame([])).body == frame([]))
    }

    @Test func compressesOnlyIfListed() throws {
        let message = [UInt8](repeating: 7, count: 1000)
        let packed = frame(gzip(message), flag: 1)
        #expect(try call(packed, [("grpc-encoding", "gzip")]).body == frame(message))
        final class Large: GRPCMethod {
            func handle(_ call: GRPCCall, message: UnsafeRawBufferPointer, _ responder: GRPCResponder) {
                responder.respond([UInt8](repeating: 1, count: 5000))
            }
        }
        var routes = RouteTable.Routes()
        routes.grpc["/s/m"] = Large()
        let server = try EmbeddedServer(RouteTable(routes))
        let answer = try HTTP2Client(server).call(
            "POST",
            "/s/m",
            [("content-type", "application/grpc"), ("grpc-accept-encoding", "identity, gzip")],
            body: frame([])
        )
        #expect(answer.fields["grpc-encoding"] == "gzip")
        #expect(answer.body.first == 1 && answer.body.count < 200)
    }

    @Test func wordsErrorsAsTheStandardsAsk() throws {
        #expect(try call(nil).grpcStatus == 12)
        #expect(try call(frame([1]) + frame([2])).grpcStatus == 12)
        #expect(try call(frame([1]), path: "/s/other").grpcStatus == 12)
        #expect(try call(frame([1], flag: 2)).grpcStatus == 13)
        #expect(try call(frame([1], flag: 1)).grpcStatus == 13)
        #expect(try call(frame([1], flag: 1), [("grpc-encoding", "identity")]).grpcStatus == 13)
        #expect(try call(frame([1, 2, 3], flag: 1), [("grpc-encoding", "gzip")]).grpcStatus == 13)
        #expect(try call(Array(frame([1, 2, 3]).dropLast())).grpcStatus == 13)
        #expect(try call([0, 0]).grpcStatus == 13)
        #expect(try call(frame([UInt8](repeating: 1, count: 1001))).grpcStatus == 8)
        let bomb = frame(gzip([UInt8](repeating: 1, count: 100_000)), flag: 1)
        #expect(try call(bomb, [("grpc-encoding", "gzip")]).grpcStatus == 8)
        let snappy = try call(frame([1]), [("grpc-encoding", "snappy")])
        #expect(snappy.grpcStatus == 12 && snappy.fields["grpc-accept-encoding"] == "identity,gzip")
        let timeout = try call(frame([1]), [("grpc-timeout", "x")])
        #expect(timeout.status == 400 && timeout.grpcStatus == 13)
        let get = try call(nil, verb: "GET")
        #expect(get.status == 405 && get.grpcStatus == 13 && get.fields["allow"] == "POST")
        #expect(try call(frame([1]), type: "application/json").status == 415)
        #expect(try call(frame([1]), type: "application/grpc-web").status == 415)
    }

    @Test func tellsTheMethodWhatItDidNotSee() throws {
        func refusals(
            _ body: [UInt8]?,
            _ more: [(String, String)] = [],
            type: String = "application/grpc"
        ) throws -> [GRPCRefusal] {
            let method = EchoMethod()
            _ = try call(body, more, method: method, type: type)
            return method.refusals.withLock { $0 }
        }
        #expect(try refusals(frame([1])) == [])
        #expect(try refusals(nil) == [.malformed])
        #expect(try refusals(frame([1], flag: 2)) == [.malformed])
        #expect(try refusals(frame([1, 2, 3], flag: 1), [("grpc-encoding", "gzip")]) == [.malformed])
        #expect(try refusals(frame([1]), [("grpc-timeout", "x")]) == [.malformed])
        #expect(try refusals(frame([1]), [("grpc-encoding", "snappy")]) == [.encoding])
        #expect(try refusals(frame([1]), type: "application/json") == [.contentType])
        let large = frame([UInt8](repeating: 1, count: 1001))
        // The limit as its method names it: without the prefix of the message.
        #expect(try refusals(large) == [.problem(.bodyTooLarge(limit: 1000))])
        let bomb = frame(gzip([UInt8](repeating: 1, count: 100_000)), flag: 1)
        #expect(try refusals(bomb, [("grpc-encoding", "gzip")]) == [.tooLarge])
        let fields = try refusals(frame([1]), [("x", String(repeating: "y", count: 17_000))])
        #expect(fields == [.problem(.unreadable(status: 431, reason: "the request head is too large"))])
    }

    @Test func admitsBeforeTheMessageAndEncodesTheStatus() throws {
        let refusal = GRPCStatus(.unavailable, "zu voll: 100%\n", details: [0xFB, 0xFF])
        let answer = try call(frame([1]), method: EchoMethod(refusal: refusal))
        #expect(answer.status == 200 && answer.grpcStatus == 14)
        #expect(answer.fields["grpc-message"] == "zu voll: 100%25%0A")
        #expect(answer.fields["grpc-status-details-bin"] == "+/8")
        #expect(answer.trailers.isEmpty && answer.body.isEmpty)
    }

    @Test func keepsTheDeadline() throws {
        let method = EchoMethod(keeps: true)
        let client = try client(method)
        let id = client.request(
            "POST",
            "/s/m",
            [("content-type", "application/grpc"), ("grpc-timeout", "1500m")],
            body: frame([1])
        )
        try client.exchange()
        #expect(client.answers[id] == nil)
        client.server.advance(2)
        try client.exchange()
        #expect(client.answers[id]?.grpcStatus == 4)
        let late = method.kept.withLock { $0.removeFirst() }
        #expect(late.isPeerGone)
        late.respond([])
        #expect(client.server.events.seen.isEmpty)
    }

    @Test func watchesHealth() throws {
        let health = HealthService()
        var routes = RouteTable.Routes()
        routes.grpc = health.methods
        let server = try EmbeddedServer(RouteTable(routes))
        let client = HTTP2Client(server)
        let type = [("content-type", "application/grpc")]
        health.set(service: "a", status: .notServing)
        let a = frame([0x0A, 1, 97])
        #expect(
            try client.call("POST", "/grpc.health.v1.Health/Check", type, body: frame([])).body
                == frame([8, 1])
        )
        #expect(try client.call("POST", "/grpc.health.v1.Health/Check", type, body: a).body == frame([8, 2]))
        let unknown = try client.call(
            "POST",
            "/grpc.health.v1.Health/Check",
            type,
            body: frame([0x0A, 1, 98])
        )
        #expect(unknown.grpcStatus == 5)
        let watch = client.request("POST", "/grpc.health.v1.Health/Watch", type, body: a)
        let other = client.request("POST", "/grpc.health.v1.Health/Watch", type, body: frame([0x0A, 1, 98]))
        try client.exchange()
        #expect(client.answers[watch]?.body == frame([8, 2]))
        #expect(client.answers[other]?.body == frame([8, 3]))
        health.set(service: "a", status: .serving)
        health.set(service: "a", status: .serving)
        server.advance(600)
        try client.exchange()
        #expect(client.answers[watch]?.body == frame([8, 2]) + frame([8, 1]))
        health.stop()
        try client.exchange()
        #expect(client.answers[watch]?.grpcStatus == 14)
    }

    @Test func readsTimeouts() {
        #expect(GRPCMessage.timeout("12345678H") == .seconds(12_345_678 * 3600))
        #expect(GRPCMessage.timeout("5m") == .milliseconds(5))
        for bad in ["", "S", "123456789S", "1x", "-1S", "1 S"] { #expect(GRPCMessage.timeout(bad) == nil) }
    }

    @Test func codesText() {
        #expect(PercentCoding.encode("ä%\u{7F}~ ") == "%C3%A4%25%7F~ ")
        #expect(PercentCoding.decode("%C3%a4%25%zz%4") == "ä%%zz%4")
        for count in 0..<20 {
            let bytes = (0..<count).map { UInt8($0 &* 37 & 255) }
            let text = Base64.encodeUnpadded(bytes)
            #expect(Base64.decode(text) == bytes)
            #expect(
                Base64.decode(text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)) == bytes
            )
        }
        #expect(Base64.decode("-_8") == Base64.decode("+/8="))
        for bad in ["A", "A=A", "A*"] { #expect(Base64.decode(bad) == nil) }
    }
}
