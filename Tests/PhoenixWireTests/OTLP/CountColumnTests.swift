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
        #expect(column.total() == 6)
        #expect(column.total(and: 7) == 13)
        #expect(column.total(and: .max - 6) == .max)
        #expect(column.total(and: .max - 5) == nil)
        column.begin()
        #expect(column.total() == 0)
        #expect(column.total(and: .max) == .max)
        column.append([1 << 63, (1 << 63) - 1])
        #expect(column.total() == .max)
        #expect(column.total(and: 1) == nil)
        column.append(1)
        #expect(column.total() == nil)
        // It stays beyond.
        column.append(7)
        #expect(column.total() == nil)
        column.begin()
        column.append(1)
        #expect(column.total() == 1)
    }
    @Test(arguments: [[], [1, 2, 3], [1 << 63, (1 << 63) - 1], [1 << 63, 1 << 63], [1 << 48, 3]])
    func sumsOfPackedCountsAreExactOrNone(counts: [UInt64]) throws {
        var column = CountColumn()
        defer { column.free() }
        let bytes = counts.flatMap { count in (0..<8).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } }
        let varints = counts.flatMap { Self.varint($0) } + Array(repeating: 127, count: 17)
        let expected = counts.reduce(UInt64?(0)) { sum, count in
            sum.flatMap { $0.addingReportingOverflow(count).overflow ? nil : $0 + count }
        }
        try bytes.withUnsafeBufferPointer {
            let start = $0.baseAddress ?? UnsafePointer(bitPattern: 8)!
            try column.append(fixed: ProtobufCursor(start, start + bytes.count))
        }
        #expect(column.total() == expected)
        column.begin()
        try varints.withUnsafeBufferPointer {
            try column.append(varints: ProtobufCursor($0.baseAddress!, $0.baseAddress! + varints.count))
        }
        #expect(column.total() == expected.flatMap { $0 > .max - 17 * 127 ? nil : $0 + 17 * 127 })
        #expect(column.take() == counts + counts + Array(repeating: 127, count: 17))
    }
    private static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
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
