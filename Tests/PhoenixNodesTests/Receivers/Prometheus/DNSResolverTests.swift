import PhoenixGraph
import Testing

@testable import PhoenixNodes

@Suite struct DNSResolverTests {
    /// An answer with the question `x.` and these records, each as type and data; names in the data may point to 12, `x.`.
    private static func answer(_ records: [(type: UInt16, data: [UInt8])], rest: Int = 0) -> [UInt8] {
        func words(_ words: UInt16...) -> [UInt8] { words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } }
        var bytes =
            words(1, 0x8180, 1, UInt16(records.count), 0, 0) + [1, UInt8(ascii: "x"), 0] + words(1, 1)
        for record in records {
            bytes += words(0xC00C, record.type, 1, 0, 60, UInt16(record.data.count)) + record.data
        }
        return Array(bytes.dropLast(rest))
    }
    private static func read(
        _ bytes: [UInt8],
        _ type: DNSDiscoveryConfig.RecordType
    ) throws(DNSProblem) -> [String] {
        try bytes.withUnsafeBufferPointer { (bytes) throws(DNSProblem) in try DNSResolver.read(bytes, type) }
            .map { "\($0.target):\($0.port)" }
    }

    @Test func recordsOfTheTypeAskedForAreReadInOrderAndOnce() throws {
        let alias: (type: UInt16, data: [UInt8]) = (5, [0xC0, 12])
        let addresses = Self.answer([alias, (1, [127, 0, 0, 9]), (1, [127, 0, 0, 1]), (1, [127, 0, 0, 9])])
        #expect(try Self.read(addresses, .a) == ["127.0.0.1:0", "127.0.0.9:0"])
        let sixes = Self.answer([(28, Array(repeating: 0, count: 15) + [1])])
        #expect(try Self.read(sixes, .aaaa) == ["::1:0"])
        let services = Self.answer([(33, [0, 1, 0, 2, 0x24, 0x06, 1, UInt8(ascii: "y"), 0xC0, 12])])
        #expect(try Self.read(services, .srv) == ["y.x:9222"])
        #expect(try Self.read(Self.answer([(15, [0, 10, 0xC0, 12])]), .mx) == ["x:0"])
        #expect(try Self.read(Self.answer([(2, [0xC0, 12])]), .ns) == ["x:0"])
        #expect(try Self.read(Self.answer([]), .a) == [])
    }

    @Test func whatIsCutOrTooShortIsMalformed() {
        let short = Self.answer([(1, [127, 0, 0])])
        let service = Self.answer([(33, [0, 1, 0, 2, 0x24, 0x06])])
        let outside = Self.answer([(2, [0xC1, 0xFF])])
        for (bytes, type) in [(short, DNSDiscoveryConfig.RecordType.a), (service, .srv), (outside, .ns)] {
            #expect(throws: DNSProblem.malformed) { try Self.read(bytes, type) }
        }
        let whole = Self.answer([(1, [127, 0, 0, 1]), (1, [127, 0, 0, 2])])
        for rest in 1..<whole.count {
            #expect(throws: DNSProblem.malformed) {
                try Self.read(Array(whole.dropLast(rest)), .a)
            }
        }
    }

    @Test(arguments: ["127.0.0.1:53", "10.0.0.1:8600"]) func addressesOfServers(_ text: String) {
        #expect(DNSResolver.address(text) != nil)
    }
    @Test(arguments: ["", "localhost:53", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "[::1]:53", ":53"])
    func whatIsNoAddress(_ text: String) { #expect(DNSResolver.address(text) == nil) }
}
