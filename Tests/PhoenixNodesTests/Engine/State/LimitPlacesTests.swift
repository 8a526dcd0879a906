import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import Testing

@testable import PhoenixNodes

/// Who has a place in a limit goes from one process to the next by the order in which they came.
@Suite struct LimitPlacesTests {
    private final class Bytes {
        var all: [UInt8] = []
    }
    /// What reads the picture that was written.
    private func reading(_ picture: LimitBookPicture) throws -> StateReader {
        let bytes = Bytes()
        var writer = try StateWriter { bytes.all += $0 }
        try writer.beginSection()
        try picture.write(to: &writer)
        try writer.finish()
        var rest = bytes.all[...]
        var reader = try StateReader { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        _ = try reader.nextSection()
        return reader
    }

    @Test func whoHadAPlaceHasItInTheNextProcess() throws {
        var config = Limit.Config()
        config.total = 3
        let (old, new) = (SeriesTable(capacity: 64), SeriesTable(capacity: 64))
        func ids(_ table: SeriesTable, _ order: [Int]) throws -> [SeriesID] {
            try order.map { index in
                let id = table.id(
                    resource: table.intern([Attribute("process.pid", .int(Int64(index)))]),
                    metric: table.metric(MetricIdentity(name: "threads", kind: .gauge)),
                    attributes: table.intern([])
                )
                return try #require(id)
            }
        }
        let book = LimitBook(config, old)
        for id in try ids(old, [4, 2, 0, 1, 3]) { book.admit(id, config, at: 1) }
        // They come the other way round now.
        let known = try ids(new, [3, 1, 0, 2, 4])
        let heir = LimitBook(config, new)
        var reader = try reading(book.picture)
        try heir.read(from: &reader, config, at: 1)
        #expect(known.map { heir.isPast($0) } == [true, true, false, false, false])

        config.attributes = ["host.name": 1]
        let other = LimitBook(config, new)
        var again = try reading(book.picture)
        try other.read(from: &again, config, at: 1)
        #expect(other.guests.isEmpty)
    }
}
