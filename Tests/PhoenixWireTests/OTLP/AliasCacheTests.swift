import PhoenixModel
import Testing

@testable import PhoenixWire

/// The caches of known bytes start anew when they are full: never to be seen in the points.
@Suite struct AliasCacheTests {
    @Test(arguments: [0, 4 << 10, 64 << 10])
    func pointsAreRightHoweverSmallTheCaches(_ maximumCacheBytes: Int) throws {
        let observed = Observed(maximumCacheBytes: maximumCacheBytes)
        var corpus = RequestCorpus(random: Seeded(11))
        var requests: [[UInt8]] = []
        for _ in 0..<50 { requests.append(try corpus.request().serializedBytes()) }
        for round in 0..<3 {
            for body in round == 1 ? requests.reversed() : requests {
                #expect(observed.verdict(of: body) == Judge.verdict(of: body))
            }
        }
    }
    @Test func metricsDoNotOutliveTheScopesThatTheyStandIn() throws {
        let observed = Observed(maximumCacheBytes: 64 << 10)
        var corpus = RequestCorpus(random: Seeded(5))
        for index in 0..<600 {
            var request = corpus.request()
            for resource in request.resourceMetrics.indices {
                for scope in request.resourceMetrics[resource].scopeMetrics.indices {
                    request.resourceMetrics[resource].scopeMetrics[scope].scope.name = "scope \(index % 97)"
                }
            }
            let body: [UInt8] = try request.serializedBytes()
            #expect(observed.verdict(of: body) == Judge.verdict(of: body))
        }
    }
    @Test func fullCachesForgetAndAgeByOne() {
        var cache = AliasCache<Int>(maximumBytes: 1000)
        defer { cache.removeAll() }
        func bytes(_ number: Int) -> [UInt8] { Array(repeating: UInt8(number), count: 100) }
        var previous = AliasCache<Int>.none
        for number in 0..<20 {
            previous = bytes(number).withUnsafeBufferPointer {
                cache.add($0.baseAddress!, $0.count, context: 0, after: previous, number)
            }
            #expect(cache.count <= 6 && cache.meanings[Int(previous)] == number)
        }
        #expect(cache.age == 3)
        let found = bytes(19).withUnsafeBufferPointer {
            cache.find($0.baseAddress!, $0.count, context: 0, after: -1)
        }
        #expect(found == previous)
        let other = bytes(19).withUnsafeBufferPointer {
            cache.find($0.baseAddress!, $0.count, context: 1, after: -1)
        }
        #expect(other == nil)
    }
}
