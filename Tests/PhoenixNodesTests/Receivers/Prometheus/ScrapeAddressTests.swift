import PhoenixGraph
import Testing

@testable import PhoenixNodes

/// What is asked for by URL: no flawed address, and no secret where others read.
@Suite struct ScrapeAddressTests {
    @Test(arguments: [
        "127.0.0.1:-1", ":9100", "127.0.0.1:abc", "[::1", "127.0.0.1:99999", "host:0", "host:", "::1:9100",
    ])
    func isNoTarget(_ address: String) {
        #expect(ScrapeTarget.flaw(ofAddress: address) != nil)
        #expect(throws: ScrapeTarget.Flaw.self) {
            _ = try ScrapeTarget.make(address, [:], PrometheusReceiver.Config(), job: "j")
        }
    }
    @Test(arguments: ["127.0.0.1:1", "[::1]:65535", "host", "a_b.example.org:9100"])
    func isATarget(_ address: String) throws {
        #expect(try ScrapeTarget.make(address, [:], PrometheusReceiver.Config(), job: "j") != nil)
    }

    @Test func theRunningGraphShowsNoSecretOfAnURL() throws {
        let text = """
            params: {module: [http_2xx], token: [hidden]}
            http_sd_configs: [{url: "http://user:hidden@host/sd?key=hidden", refresh_interval: 30s}]
            """
        let tree = try YAMLFile.read(text, file: "f")
        let defaults = PrometheusReceiver.Config()
        let shape = Shape.object(PrometheusReceiver.Config.fields.map { $0.spec(defaults: defaults) })
        let shown = GraphStatus.tree(tree, shape).written()
        #expect(!shown.contains("hidden"))
        #expect(shown.contains("***") && shown.contains("30s"))
        let hook = try YAMLFile.read("url: http://host/hook?key=hidden", file: "f")
        #expect(!GraphStatus.tree(hook, AnomalyWatch.Webhook.shape).written().contains("hidden"))
    }
}
