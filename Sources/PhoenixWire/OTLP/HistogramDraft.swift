/// The fields that explicit and exponential histogram points share, while one is read.
struct HistogramDraft {
    var time: UInt64 = 0
    var start: UInt64 = 0
    var count: UInt64 = 0
    var sum: Double = 0
    var minimum: Double = 0
    var maximum: Double = 0
}

extension HistogramDraft {
    /// Reads the start, whose tag was read, and the time, the count and the sum, where they follow each other as every known
    /// encoder writes them; false, and nothing, where they do not.
    @inline(__always)
    mutating func readInRow(_ cursor: inout ProtobufCursor) -> Bool {
        let place = cursor.position
        guard cursor.left >= 35, place[8] == 0x19, place[17] == 0x21, place[26] == 0x29 else { return false }
        (start, time) = (place.word(at: 0), place.word(at: 9))
        (count, sum) = (place.word(at: 18), Double(bitPattern: place.word(at: 27)))
        cursor.position += 35
        return true
    }
}
