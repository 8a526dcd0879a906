import PhoenixModel
import Testing

@testable import PhoenixWire

/// The column that counts of buckets are decoded into.
@Suite struct CountColumnTests {
    private func appending(varints bytes: [UInt8]) throws -> [UInt64] {
        var column = CountColumn()
        defer { column.free() }
        try bytes.withUnsafeBufferPointer {
            let start = $0.baseAddress!
            try column.append(varints: ProtobufCursor(start, start + bytes.count))
        }
        return column.take()
    }

    @Test func varintsOfAnyLengthFollowEachOther() throws {
        let short: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 127]
        #expect(try appending(varints: short) == short.map(UInt64.init))
        #expect(try appending(varints: short + [9]) == short.map(UInt64.init) + [9])
        #expect(try appending(varints: [0x80, 1] + short) == [128] + short.map(UInt64.init))
        #expect(try appending(varints: short + [0xFF, 0xFF, 1, 7]) == short.map(UInt64.init) + [0x7FFF, 7])
        let most = Array(repeating: UInt8(0xFF), count: 9) + [1]
        #expect(try appending(varints: most + short) == [.max] + short.map(UInt64.init))
        #expect(throws: MalformedMessage(.truncated)) { try appending(varints: short + [0x80]) }
    }
    @Test func sumsAreExactOrNone() {
        var column = CountColumn()
        defer { column.free() }
        column.append([1, 2, 3])
        #expect(column.sum(from: 0) == 6)
        #expect(column.sum(from: 1) == 5)
        #expect(column.sum(1..<2, and: 7) == 9)
        #expect(column.sum(3..<3, and: .max) == .max)
        #expect(column.sum(0..<1, and: .max) == nil)
        column.append([1 << 63, (1 << 63) - 7])
        #expect(column.sum(from: 0) == .max)
        column.append(1)
        #expect(column.sum(from: 0) == nil)
        #expect(column.sum(from: 5) == 1)
    }
    @Test func whatIsTakenOrTruncatedIsGone() {
        var column = CountColumn()
        defer { column.free() }
        column.append(Array(0..<2000))
        column.truncate(to: 1000)
        column.append(7)
        #expect(column.take() == Array(0..<1000) + [7])
        #expect(column.count == 0)
        #expect(column.take() == [])
        // More than is kept for the next batch.
        column.append(Array(repeating: 3, count: 1 << 18))
        column.truncate(to: 2)
        column.append(4)
        #expect(column.take() == [3, 3, 4])
    }
}
