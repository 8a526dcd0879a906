import Testing

@testable import PhoenixWire

/// Exponential histograms as native ones.
@Suite struct NativeBucketsTests {
    private func buckets(
        scale: Int = 0,
        zero: UInt64 = 0,
        threshold: Double = 0,
        _ positive: ExponentialBuckets.Side,
        negative: ExponentialBuckets.Side = .init()
    ) -> ExponentialBuckets {
        ExponentialBuckets(
            scale: scale,
            zeroCount: zero,
            zeroThreshold: threshold,
            positive: positive,
            negative: negative
        )
    }

    /// The example of the specification.
    @Test func spansAndDeltas() {
        let native = NativeBuckets(buckets(.init(offset: 3, counts: [10, 0, 0, 20, 5, 2])))
        #expect(
            native?.positive
                == .init(
                    spans: [.init(offset: 4, length: 1), .init(offset: 2, length: 3)],
                    deltas: [10, 10, -15, -3]
                )
        )
        #expect(native?.negative == .init())
    }
    @Test func noThresholdIsTheLeastOne() {
        #expect(NativeBuckets(buckets(.init()))?.zeroThreshold == 1e-128)
        #expect(NativeBuckets(buckets(zero: 2, threshold: 0.5, .init()))?.zeroThreshold == 0.5)
    }
    @Test func finerThanAnyIsDownscaledAndCoarserIsNone() {
        let fine = NativeBuckets(buckets(scale: 10, .init(offset: 4, counts: [1, 2, 3, 4, 5])))
        #expect(fine?.schema == 8)
        #expect(fine?.positive == .init(spans: [.init(offset: 2, length: 2)], deltas: [10, -5]))
        #expect(NativeBuckets(buckets(scale: -4, .init(offset: 0, counts: [1])))?.schema == -4)
        #expect(NativeBuckets(buckets(scale: -5, .init(offset: 0, counts: [1]))) == nil)
    }
    @Test func negativeIndicesAndGapsAtTheEnds() {
        let native = NativeBuckets(buckets(.init(offset: -3, counts: [0, 7, 0]), negative: .init(offset: -1, counts: [2])))
        #expect(native?.positive == .init(spans: [.init(offset: -1, length: 1)], deltas: [7]))
        #expect(native?.negative == .init(spans: [.init(offset: 0, length: 1)], deltas: [2]))
    }
    @Test func indicesBeyondWhatSpansSayAreNone() {
        #expect(NativeBuckets(buckets(.init(offset: Int(Int32.max), counts: [1]))) == nil)
    }
}
