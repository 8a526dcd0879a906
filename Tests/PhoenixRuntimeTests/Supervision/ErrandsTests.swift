import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite struct ErrandsTests {
    @Test func whatIsAskedForRunsOnceAndWhatWaitsIsCancelledAtTheEnd() throws {
        try World.run(seeds: 1..<20) { world in
            let (errands, done) = (Errands(), Lock<[String]>([]))
            errands.add { done.withLock { $0.append("before") } }
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { await errands.run() }
                group.addTask {
                    errands.add { done.withLock { $0.append("beside") } }
                    errands.add {
                        do { try await world.clock.sleep(for: .seconds(3600)) } catch {
                            done.withLock { $0.append("cancelled") }
                        }
                    }
                    // The world's second, no real one: its time stands while anybody works, so the others have run by then.
                    try await world.clock.sleep(for: .seconds(1))
                    errands.close()
                    errands.add { done.withLock { $0.append("after") } }
                }
            }
            let all = done.withLock { $0.sorted() }
            try require(all == ["before", "beside", "cancelled"], "\(all)")
            try require(world.clock.monotonic == .seconds(1), "it took \(world.clock.monotonic)")
        }
    }
}
