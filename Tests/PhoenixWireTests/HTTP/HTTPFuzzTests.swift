import Glibc
import NIOCore
import PhoenixModel
import Testing

@testable import PhoenixWire

/// Broken bytes may end a connection, and nothing else.
@Suite struct HTTPFuzzTests {
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Streams tried of each protocol: few in every run, `PHOENIX_FUZZ_ROUNDS=100000` in a long one.
    private static let rounds =
        getenv("PHOENIX_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 2000

    private func routes() -> RouteTable {
        var routes = RouteTable.Routes()
        routes.exact = ["/echo": Echo(bodyLimit: 100_000), "/get": HTTPClosure { _, _ in .text(200, "got") }]
        routes.grpc = HealthService().methods
        return RouteTable(routes)
    }

    private func mutate(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.remove(at: at)
            case 3: bytes.insert([13, 10, 32, 58, 0, 48, 255].randomElement(using: &random) ?? 0, at: at)
            case 4: bytes.removeLast(bytes.count - at)
            default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 20)], at: at)
            }
        }
        return bytes
    }

    private func run(_ seeds: [[UInt8]], seed: UInt64) throws {
        let routes = routes()
        var random = SplitMix(state: seed)
        for round in 0..<Self.rounds {
            let bytes = mutate(seeds[round % seeds.count], &random)
            let server = try EmbeddedServer(routes)
            var at = 0
            while at < bytes.count, server.channel.isActive {
                let size =
                    Bool.random(using: &random) ? bytes.count - at : Int.random(in: 1...64, using: &random)
                let end = min(bytes.count, at + size)
                try server.send(bytes[at..<end])
                at = end
            }
            _ = try server.take()
            // Whatever it waits for, a timeout must end it.
            server.advance(130)
            server.advance(130)
            server.advance(310)
            _ = try server.take()
            #expect(!server.channel.isActive, "seed \(seed), round \(round)")
            server.finish()
            #expect(server.listener.count == 0, "seed \(seed), round \(round)")
        }
    }

    @Test func survivesBrokenHTTP1() throws {
        let seeds = [
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /get?x HTTP/1.1\r\nHost: b\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n",
            "POST /get HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            "GET http://h/get HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        ].map { Array($0.utf8) }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("HTTP/1 fuzz seed \(seed)")
        try run(seeds, seed: seed)
    }

    @Test func survivesBrokenHTTP2() throws {
        var seeds: [[UInt8]] = []
        for variant in 0..<3 {
            let client = HTTP2Client(try EmbeddedServer(routes()))
            if variant != 1 {
                _ = client.request(
                    "POST",
                    "/echo",
                    [("content-length", "300")],
                    body: [UInt8](repeating: 1, count: 300)
                )
            }
            if variant != 0 {
                let health = "/grpc.health.v1.Health/Check"
                _ = client.request(
                    "POST",
                    health,
                    [("content-type", "application/grpc")],
                    body: [0, 0, 0, 0, 0]
                )
                _ = client.request("GET", "/get")
                client.ping()
            }
            var bytes = client.output()
            if variant == 2 {
                client.reset(1)
                bytes += client.output()
            }
            seeds.append(bytes)
        }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("HTTP/2 fuzz seed \(seed)")
        try run(seeds, seed: seed)
    }
}
