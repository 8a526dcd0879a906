/// Breaks bytes at random places: most of what comes out is malformed, some of it only just.
struct Mutator {
    var random: Seeded

    /// Rewrites what looks like a point's time, start, value, sum or extreme, as the next request of a sender would.
    mutating func advance(_ body: [UInt8]) -> [UInt8] {
        var body = body
        var place = 0
        while place + 9 <= body.count {
            let isWord = [0x11, 0x19, 0x21, 0x29, 0x31, 0x59, 0x61].contains(body[place])
            if isWord, random.once(in: 2) {
                let word = random.once(in: 12) ? 0 : random.next()
                for index in 0..<8 {
                    body[place + 1 + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index))
                }
            }
            place += isWord ? 9 : 1
        }
        return body
    }

    mutating func mutate(_ body: [UInt8], others: [UInt8]) -> [UInt8] {
        var body = body
        for _ in 0..<1 + random.below(3) {
            guard !body.isEmpty else { return body }
            let place = random.below(body.count)
            switch random.below(9) {
            case 0: body[place] ^= 1 << UInt8(random.below(8))
            case 1: body[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF, 0x08, 0x0A, 0x12, 0x1A, 0x3A])
            case 2: body[place] = UInt8(truncatingIfNeeded: random.next())
            case 3: body.removeSubrange(place..<min(body.count, place + 1 + random.below(4)))
            case 4: body.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 5:
                body.insert(
                    contentsOf: body[place..<min(body.count, place + 1 + random.below(12))],
                    at: place
                )
            case 6: body.removeSubrange(place...)
            case 7:
                guard !others.isEmpty else { continue }
                let from = random.below(others.count)
                body.insert(
                    contentsOf: others[from..<min(others.count, from + 1 + random.below(24))],
                    at: place
                )
            default:
                let other = random.below(body.count)
                body.swapAt(place, other)
            }
        }
        return body
    }
}
