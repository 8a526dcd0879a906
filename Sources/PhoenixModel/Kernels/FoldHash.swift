/// A 64-bit multiply-fold hash (wyhash's kind): fast on short keys, and keyed by a seed.
///
/// Not a cryptographic hash: whoever looks up bytes that a sender chose compares them as well.
@inlinable
public func foldHash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    guard let start = bytes.baseAddress else {
        return fold(seed ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
    }
    return foldHash(start, bytes.count, seed: seed)
}

/// Both halves of the 128-bit product, folded.
@inlinable @inline(__always)
func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
}

@inlinable @inline(__always)
func load64(_ address: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    address.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
}

@inlinable @inline(__always)
func load32(_ address: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(address.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
}

/// The hash of `count` bytes at `start`, which must be readable.
@inlinable @inline(__always)
public func foldHash(_ start: UnsafeRawPointer, _ count: Int, seed: UInt64) -> UInt64 {
    let k0: UInt64 = 0xa076_1d64_78bd_642f
    let k1: UInt64 = 0xe703_7ed1_a0b4_28db
    let k2: UInt64 = 0x8ebc_6af0_9c88_c6e3
    let k3: UInt64 = 0x5899_65cc_7537_4cc3
    var state = seed ^ k0
    var (first, second): (UInt64, UInt64) = (0, 0)
    if count <= 16 {
        if count >= 4 {
            let middle = (count >> 3) << 2
            first = load32(start, 0) << 32 | load32(start, middle)
            second = load32(start, count - 4) << 32 | load32(start, count - 4 - middle)
        } else if count > 0 {
            first = UInt64(start.load(as: UInt8.self)) << 16
            first |= UInt64(start.load(fromByteOffset: count >> 1, as: UInt8.self)) << 8
            first |= UInt64(start.load(fromByteOffset: count - 1, as: UInt8.self))
        }
    } else {
        var (address, left) = (start, count)
        if left > 48 {
            var (lane1, lane2) = (state, state)
            repeat {
                state = fold(load64(address, 0) ^ k1, load64(address, 8) ^ state)
                lane1 = fold(load64(address, 16) ^ k2, load64(address, 24) ^ lane1)
                lane2 = fold(load64(address, 32) ^ k3, load64(address, 40) ^ lane2)
                address += 48
                left -= 48
            } while left > 48
            state ^= lane1 ^ lane2
        }
        while left > 16 {
            state = fold(load64(address, 0) ^ k1, load64(address, 8) ^ state)
            address += 16
            left -= 16
        }
        first = load64(address, left - 16)
        second = load64(address, left - 8)
    }
    return fold(k1 ^ UInt64(count), fold(first ^ k1, second ^ state))
}

/// What keys the hashes of this process, so that nobody outside can choose bytes that collide.
public let processSeed = UInt64.random(in: .min ... .max)
