import Testing

@testable import PhoenixWire

/// What the server refuses before a handler sees it, worded by whoever stands for the address or the path.
@Suite struct UnreadRequestTests {
    @Test(arguments: [
        ("GET /echo HTTP/1.1\r\n\r\n", "400 there is no Host"),
        ("GET /echo HTTP/3.0\r\nHost: a\r\n\r\n", "505 only HTTP/1.0, HTTP/1.1 and HTTP/2 are served"),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n",
            "417 the only expectation served is 100-continue"
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            "501 the only transfer coding served is chunked"
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n",
            "400 a chunk size is not a hexadecimal number"
        ),
        (
            "GET /echo HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 20_000))",
            "431 the request head is too large"
        ),
    ])
    func theFallbackWordsWhatIsNoRequest(text: String, words: String) throws {
        var routes = RouteTable.Routes()
        routes.exact = ["/echo": Echo()]
        routes.fallback = Wording()
        let server = try EmbeddedServer(RouteTable(routes))
        try server.send(text)
        let answer = try server.text()
        #expect(answer.hasPrefix("HTTP/1.1 \(words.prefix(3)) "), "\(answer)")
        #expect(answer.hasSuffix("\r\n\r\n*: \(words.dropFirst(4))"), "\(answer)")
        server.finish()
    }

    @Test func withoutAFallbackTheWordsArePlain() throws {
        let server = try EmbeddedServer(table(["/echo": Wording()]))
        try server.send("GET /echo HTTP/1.1\r\n\r\n")
        let answer = try server.text()
        #expect(answer.contains("content-type: text/plain"))
        #expect(answer.hasSuffix("\r\n\r\nthere is no Host\n"), "\(answer)")
        server.finish()
    }

    @Test func aHeadThatIsTooLargeForHTTP2IsAnsweredInTheWordsOfItsPath() throws {
        var routes = RouteTable.Routes()
        routes.exact = ["/here": Wording()]
        routes.fallback = Wording()
        let client = HTTP2Client(try EmbeddedServer(RouteTable(routes)))
        for path in ["/here", "/nowhere"] {
            let answer = try client.call("POST", path, [("x", String(repeating: "y", count: 17_000))])
            #expect(answer.status == 431)
            #expect(answer.text == "\(path): the request head is too large")
        }
    }
}

/// Words the errors of the server in its own way.
private struct Wording: HTTPHandler {
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {}
    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
        .text(problem.status, "\(head.path): \(problem.message)")
    }
}
