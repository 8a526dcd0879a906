import PhoenixModel
import PhoenixRuntime

/// What a limit remembers at one moment: who has a place and who waits for one, and the sums.
struct LimitPicture: StatePicture {
    let sums: any StatePicture
    let book: LimitBookPicture
    func write(to writer: inout StateWriter) throws {
        try book.write(to: &writer)
        try sums.write(to: &writer)
    }
}

/// Who came when.
struct LimitBookPicture: Sendable {
    /// With others limited the rest means nothing.
    let attributes: [AttributeTarget]
    let guests: [Quota.Guest]
    let table: SeriesTable

    func write(to writer: inout StateWriter) throws {
        writer.write(attributes.count)
        for target in attributes { writer.write(target.text) }
        // In this order they get their places again: those who had one first.
        let ordered = guests.sorted { $0.isPast != $1.isPast ? !$0.isPast : $0.order < $1.order }
        for guest in ordered {
            guard let series = table.series(guest.id) else { continue }
            writer.write(true)
            writer.write(series)
            try writer.settle()
        }
        writer.write(false)
    }
}

extension LimitBook {
    var picture: LimitBookPicture {
        LimitBookPicture(attributes: attributes, guests: guests, table: table)
    }
    /// Gives places in the order of then, where the limited attributes are those of then.
    func read(from reader: inout StateReader, _ config: Limit.Config, at second: UInt32) throws {
        let written = try (0..<(try reader.count())).map { _ in try reader.text() }
        let isSame = written == attributes.map(\.text)
        while try reader.flag() {
            if let id = try reader.series(table), isSame { admit(id, config, at: second) }
        }
    }
}
