import Foundation

/// The hash MD5 (RFC 1321): not for secrets, but since Prometheus' `hashmod` is defined by it.
enum MD5 {
    private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
    private static let constants = (1...64).map { UInt32(abs(sin(Double($0))) * 4_294_967_296) }

    /// The 16 bytes of the digest.
    static func digest(_ message: some Sequence<UInt8>) -> [UInt8] {
        var bytes = Array(message)
        let bitCount = UInt64(bytes.count) * 8
        bytes.append(0x80)
        while bytes.count % 64 != 56 { bytes.append(0) }
        for shift in stride(from: UInt64(0), through: 56, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: bitCount >> shift))
        }
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
        for start in stride(from: 0, to: bytes.count, by: 64) {
            compress(bytes[start..<start + 64], into: &state)
        }
        return state.flatMap { word in
            stride(from: UInt32(0), through: 24, by: 8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        let words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { index in
            block[index..<index + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        for round in 0..<64 {
            let mix: UInt32
            let word: Int
            switch round / 16 {
            case 0: (mix, word) = (b & c | ~b & d, round)
            case 1: (mix, word) = (d & b | ~d & c, (5 * round + 1) % 16)
            case 2: (mix, word) = (b ^ c ^ d, (3 * round + 5) % 16)
            default: (mix, word) = (c ^ (b | ~d), 7 * round % 16)
            }
            let sum = a &+ mix &+ constants[round] &+ words[word]
            let shift = shifts[round / 16 * 4 + round % 4]
            (a, d, c) = (d, c, b)
            b = b &+ (sum << shift | sum >> (32 - shift))
        }
        for (index, word) in [a, b, c, d].enumerated() { state[index] &+= word }
    }
}
