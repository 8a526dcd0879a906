import Testing

@testable import PhoenixModel

@Suite struct KeyCountsTests {
    @Test func aKeyCountsAsLongAsSomeInputHasIt() {
        var counts = KeyCounts()
        counts.set(1, to: 7)
        counts.set(2, to: 7)
        #expect(counts.distinct == 1)
        counts.set(2, to: 8)
        #expect(counts.distinct == 2)
        counts.remove(1)
        #expect(counts.distinct == 1)
        counts.remove(1)
        #expect(counts.distinct == 1)
        counts.set(2, to: 8)
        #expect(counts.distinct == 1)
        counts.remove(2)
        #expect(counts.distinct == 0)
    }

    /// Against a dictionary, with keys that collide in the index: they differ in their upper bits only.
    @Test(arguments: UInt64(1)...20) func itCountsLikeADictionary(_ seed: UInt64) {
        var random = seed
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        var counts = KeyCounts()
        var oracle: [UInt32: UInt64] = [:]
        for step in 0..<4000 {
            let slot = UInt32(next(300)) * 97
            if next(3) == 0 {
                counts.remove(slot)
                oracle[slot] = nil
            } else {
                let key = next(60) << 48 | next(4)
                counts.set(slot, to: key)
                oracle[slot] = key
            }
            let (found, expected) = (counts.distinct, Set(oracle.values).count)
            #expect(found == expected, "seed \(seed), step \(step)")
            if found != expected { return }
        }
    }

    @Test func whatIsGoneLeavesNothingBehind() {
        var counts = KeyCounts()
        for slot in UInt32(0)..<1000 { counts.set(slot, to: UInt64(slot) &* 0x9e37_79b9_7f4a_7c15) }
        let bytes = counts.byteCount
        for round in UInt64(1)...20 {
            for slot in UInt32(0)..<1000 {
                counts.set(slot, to: (UInt64(slot) + round * 1000) &* 0x9e37_79b9_7f4a_7c15)
            }
        }
        #expect(counts.distinct == 1000)
        #expect(counts.byteCount <= bytes * 2)
    }
}
