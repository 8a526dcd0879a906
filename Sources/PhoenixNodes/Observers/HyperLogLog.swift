import Foundation
import PhoenixModel

/// How many distinct values there were, estimated (Flajolet, Fusy, Gandouet, Meunier 2007; with linear counting where few).
///
/// 4096 registers of a byte: the standard error is 1.04 / 64 = 1.6 %.
struct HyperLogLog: Sendable {
    static let standardError = 0.016_25
    private static let bits = 12
    private var registers = [UInt8](repeating: 0, count: 1 << bits)

    /// Notes a value by its hash, all bits of which must be good.
    mutating func insert(_ hash: UInt64) {
        let index = Int(hash >> UInt64(64 - Self.bits))
        let rank = UInt8(min((hash << UInt64(Self.bits)).leadingZeroBitCount, 64 - Self.bits) + 1)
        if rank > registers[index] { registers[index] = rank }
    }

    var estimate: Double {
        let count = Double(registers.count)
        var (sum, empty) = (0.0, 0)
        for register in registers {
            sum += 1 / Double(1 << UInt64(register))
            if register == 0 { empty += 1 }
        }
        let raw = 0.7213 / (1 + 1.079 / count) * count * count / sum
        return raw <= 2.5 * count && empty > 0 ? count * log(count / Double(empty)) : raw
    }
}
