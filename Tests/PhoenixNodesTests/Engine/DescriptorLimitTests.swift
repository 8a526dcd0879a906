import PhoenixWire
import Testing

@testable import PhoenixNodes

@Suite struct DescriptorLimitTests {
    @Test(
        arguments: [
            (1024, 20_000, 20_000), (1024, 1024, 1024),
            // As containers have it: no bound at all.
            (1024, .max, 1 << 20), (1 << 21, .max, 1 << 21),
        ] as [(Int, Int, Int)]
    )
    func theSoftLimitIsRaisedAsFarAsIsOfUse(soft: Int, hard: Int, raised: Int) {
        #expect(DescriptorLimit(soft: soft, hard: hard).raised == raised)
    }

    @Test(
        arguments: [
            (24, 12, 3), (64, 32, 8), (256, 128, 32), (1024, 768, 64), (13_000, 9750, 64),
            (20_000, 10_000, 64), (.max, 10_000, 64),
        ] as [(Int, Int, Int)]
    )
    func connectionsLeaveDescriptorsForTheRest(soft: Int, connections: Int, reserved: Int) {
        var configuration = HTTPConfiguration()
        DescriptorLimit(soft: soft, hard: soft).bound(&configuration)
        #expect(configuration.maxConnections == connections)
        #expect(configuration.reservedConnections == reserved)
    }

    @Test func theSystemTellsIt() throws {
        let limit = try #require(DescriptorLimit.current)
        #expect(limit.soft > 0 && limit.soft <= limit.hard)
    }
}
