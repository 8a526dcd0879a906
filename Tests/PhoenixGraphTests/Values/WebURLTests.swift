import PhoenixGraph
import Testing

@Suite struct WebURLTests {
    @Test(arguments: [
        ("http://127.0.0.1:9100/metrics", "http://127.0.0.1:9100", "http://127.0.0.1:9100/metrics"),
        ("https://Example.org", "https://example.org:443", "https://Example.org"),
        ("http://[::1]:65535/a?token=b#c", "http://[::1]:65535", "http://[::1]:65535/a"),
        ("http://user:pass@host/a?key=value", "http://host:80", "http://host/a"),
        ("http://host?key=a@b:99999", "http://host:80", "http://host"),
    ])
    func takesAndShows(_ text: String, origin: String, shown: String) throws {
        let url = try WebURL(text)
        #expect(url.text == text)
        #expect(url.origin == origin)
        #expect("\(url)" == shown)
        #expect(String(reflecting: url) == shown)
        var dumped = ""
        dump(url, to: &dumped)
        for secret in ["pass", "token", "key"] { #expect(!dumped.contains(secret)) }
    }

    static let refused: [(String, WebURL.Flaw)] = [
        ("", .scheme), ("ftp://host", .scheme), ("host:80", .scheme), ("http+unix://%2Fa/b", .scheme),
        ("file:///etc/hosts", .scheme),
        ("http://", .noHost), ("http:///path", .noHost), ("http://:9100", .noHost),
        ("http://user@/", .noHost),
        ("http://[::1", .host), ("http://[]", .host), ("http://[]:80", .host), ("http://[::1]9", .host),
        ("http://::1:9100", .host), ("http://host name", .host), ("http://a%00b", .host),
        ("http://127.0.0.1:-1", .port), ("http://127.0.0.1:abc", .port), ("http://127.0.0.1:99999", .port),
        ("http://127.0.0.1:65536", .port), ("http://127.0.0.1:0", .port), ("http://host:", .port),
        ("http://host:99999999999999999999", .port), ("http://host:+80", .port), ("http://host:٨٠", .port),
        ("http://user:pass@127.0.0.1:99999/", .port), ("http://[::1]:70000/", .port),
    ]
    @Test(arguments: refused) func refuses(_ text: String, _ flaw: WebURL.Flaw) {
        #expect(throws: flaw) { try WebURL(text) }
        // What it may hold of a password is not shown.
        #expect(WebURL.shown(text) == "an address that is no URL")
    }

    @Test func aSocketIsOneToo() throws {
        let url = try WebURL(socket: "/run/phoenix.sock", path: "/api?dry_run=true")
        #expect(url.text == "http+unix://%2Frun%2Fphoenix%2Esock/api?dry_run=true")
        #expect("\(url)" == "unix:/run/phoenix.sock")
        #expect(url.isSocket)
        #expect(try !WebURL("http://127.0.0.1:13134/api").isSocket)
        #expect(throws: WebURL.Flaw.socket) { try WebURL(socket: "", path: "/api") }
        #expect(throws: WebURL.Flaw.socket) {
            try WebURL(socket: "/" + String(repeating: "a", count: 107), path: "/api")
        }
    }

    @Test func aFlawedSettingIsToldWithoutIt() {
        var report = Report()
        let mark = Mark(file: "f", line: 3, column: 4)
        WebURL.check(Secret("http://host/a"), "url", at: mark, &report)
        #expect(report.diagnostics.isEmpty)
        WebURL.check(Secret("http://user:pass@127.0.0.1:99999/a"), "url", at: mark, &report)
        #expect(report.diagnostics.map(\.message) == ["`url` has a port that is no number from 1 to 65535"])
        #expect(report.diagnostics.map(\.mark.line) == [3])
    }
}
