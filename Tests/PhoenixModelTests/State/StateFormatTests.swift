import Testing

@testable import PhoenixModel

/// States as bytes: what is written is read, and what was changed since is refused.
@Suite struct StateFormatTests {
    private final class Bytes {
        var all: [UInt8] = []
        static func source(_ bytes: [UInt8]) -> StateReader.Source {
            var rest = bytes[...]
            return { count in
                defer { rest = rest.dropFirst(count) }
                return Array(rest.prefix(count))
            }
        }
    }
    private static let nested: AttributeValue = .map([
        Attribute("list", .array([.int(-3), .double(.pi), .bool(true), .empty])),
        Attribute("raw", .bytes([0, 255])),
    ])
    private static func series(_ table: SeriesTable, _ number: Int) -> Series {
        let metric = MetricIdentity(
            scope: Scope(name: "scope", version: "1", attributes: table.intern([Attribute("in", "scope")])),
            name: "metric.\(number % 3)",
            unit: "s",
            kind: .sum,
            temporality: .cumulative,
            isMonotonic: true
        )
        let resource = table.intern([
            Attribute("host.name", "höst \(number % 7)"), Attribute("nested", nested),
        ])
        let attributes = table.intern([Attribute("number", .int(Int64(number)))])
        let known = table.metric(metric, description: "what it is")
        let id = table.id(resource: resource, metric: known, attributes: attributes) ?? .none
        return Series(id: id, resource: resource, metric: known, attributes: attributes)
    }
    /// Two sections; the first is longer than a frame where `count` is large.
    private static func written(_ table: SeriesTable, _ count: Int) throws -> [UInt8] {
        let bytes = Bytes()
        var writer = try StateWriter { bytes.all += $0 }
        try writer.beginSection()
        writer.write("first")
        for number in 0..<count {
            writer.write(true)
            writer.write(series(table, number))
            writer.write(bits: .max - UInt64(number))
            writer.write(signed: Int64(-number))
            writer.write(Double(number) / 3)
            try writer.settle()
        }
        writer.write(false)
        try writer.beginSection()
        writer.write("second")
        writer.write(UInt64.max)
        try writer.finish()
        return bytes.all
    }

    @Test(arguments: [0, 3, 20_000]) func whatIsWrittenIsReadByNames(count: Int) throws {
        let (old, new) = (SeriesTable(), SeriesTable())
        let bytes = try Self.written(old, count)
        try StateReader.verify(Bytes.source(bytes))
        // Ids are others here.
        _ = new.id(
            resource: new.intern([Attribute("other", "one")]),
            metric: Self.series(new, 1).metric,
            attributes: new.intern([])
        )
        var reader = try StateReader(Bytes.source(bytes))
        #expect(try reader.nextSection())
        #expect(try reader.text() == "first")
        for number in 0..<count {
            try #require(try reader.flag())
            let id = try #require(try reader.series(new))
            try #require(new.series(id) == Self.series(new, number))
            try #require(try reader.bits() == .max - UInt64(number))
            try #require(try reader.signed() == Int64(-number))
            try #require(try reader.double() == Double(number) / 3)
        }
        #expect(try !reader.flag())
        #expect(try reader.nextSection())
        #expect(try reader.text() == "second")
        #expect(try reader.number() == .max)
        #expect(throws: StateError.malformed(what: "a part is too short")) { try reader.flag() }
        #expect(try !reader.nextSection())
    }

    @Test func aSectionThatNobodyWantsIsSkipped() throws {
        var reader = try StateReader(Bytes.source(try Self.written(SeriesTable(), 20_000)))
        #expect(try reader.nextSection())
        #expect(try reader.nextSection())
        #expect(try reader.text() == "second")
    }

    @Test func everyChangedBitIsFound() throws {
        let bytes = try Self.written(SeriesTable(), 2)
        for place in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[place] ^= 1 << UInt8(bit)
                #expect(throws: StateError.self, "byte \(place), bit \(bit)") {
                    try StateReader.verify(Bytes.source(changed))
                }
            }
        }
    }
    @Test func everyCutAndEveryExcessIsFound() throws {
        let bytes = try Self.written(SeriesTable(), 2)
        for length in bytes.indices {
            #expect(throws: StateError.self, "cut after \(length)") {
                try StateReader.verify(Bytes.source(Array(bytes.prefix(length))))
            }
        }
        #expect(throws: StateError.self) { try StateReader.verify(Bytes.source(bytes + [0])) }
    }
    @Test func anotherFormatIsAlien() throws {
        var bytes = try Self.written(SeriesTable(), 0)
        bytes[7] = 3
        #expect(throws: StateError.alien("its format is version 3, known is 2")) {
            try StateReader.verify(Bytes.source(bytes))
        }
    }
}
