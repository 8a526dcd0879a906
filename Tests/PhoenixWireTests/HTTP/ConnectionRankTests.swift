import Testing

@testable import PhoenixWire

/// Who is let in when as many connections are open as may be.
@Suite struct ConnectionRankTests {
    private static let ranks: [ConnectionRank] = [.ordinary, .preferred, .foremost]

    @Test func placesAreKeptForWhatMustAnswer() async throws {
        var configuration = HTTPConfiguration()
        (configuration.maxConnections, configuration.reservedConnections) = (1, 2)
        let events = EmbeddedServer.Events()
        try await withServer(
            table(["/echo": Echo()]),
            configuration: configuration,
            events: { events.add($0) }
        ) { server, group in
            var open: [RawClient] = []
            for rank in Self.ranks {
                server.rank = rank
                let one = try await RawClient(server.address, group)
                try await one.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await one.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"), "\(rank)")
                open.append(one)
                let another = try await RawClient(server.address, group)
                #expect(await another.receiveToEnd() == "", "\(rank)")
            }
            #expect(open.count == Self.ranks.count)
            #expect(events.seen == Array(repeating: .connectionLimit, count: Self.ranks.count))
        }
    }

    @Test func aHigherRankHasWhatALowerOneHasAndMore() {
        let configuration = HTTPConfiguration()
        let most = Self.ranks.map(configuration.most)
        #expect(most == [10_000, 10_032, 10_064])
    }
}
