import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A port is linked anew while messages flow")
struct RelinkTests {
    @Test func `a send that waits moves to the new edge, in order`() throws {
        try World.run(seeds: 0..<500) { world in
            let old = InletQueue<Parcel>(limits: QueueLimits(batches: 3))
            let new = InletQueue<Parcel>(limits: QueueLimits(batches: 100))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [old])
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for number in 0..<10 { try await outlet.send(Parcel(number)) }
                    outlet.relink(to: [])
                }
                await settle(Int(world.seed % 30))
                outlet.relink(to: [new])
                var read: [Int] = []
                for await parcel in Inlet(old) { read.append(parcel.number) }
                for await parcel in Inlet(new) { read.append(parcel.number) }
                try require(read == Array(0..<10), "read \(read)")
                try await group.waitForAll()
            }
        }
    }

    @Test func `the gate holds senders, and lets them go in order`() throws {
        try World.run(seeds: 0..<300) { world in
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 2))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [queue])
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for number in 0..<20 { try await outlet.send(Parcel(number)) }
                    outlet.relink(to: [])
                }
                await settle(Int(world.seed % 10))
                outlet.hold()
                let called = Shared(0)
                outlet.onRoom { called.add() }
                var reader = Inlet(queue).makeAsyncIterator()
                var read: [Int] = []
                while queue.count > 0, let parcel = await reader.next() { read.append(parcel.number) }
                await settle()
                try require(queue.count == 0 && !outlet.offer(Parcel(99)), "the gate leaks")
                try require(called.value == 0, "called back behind a closed gate")
                outlet.release()
                while let parcel = await reader.next() { read.append(parcel.number) }
                try require(read == Array(0..<20), "read \(read)")
                try require(called.value == 1, "called back \(called.value) times")
                try await group.waitForAll()
            }
        }
    }

    @Test func `a queue ends when its last sender has gone, not before`() async throws {
        let queue = InletQueue<Parcel>()
        let (a, b) = (Outlet<Parcel>(), Outlet<Parcel>())
        #expect(!queue.isDrained, "before the first sender it waits")
        a.relink(to: [queue])
        b.relink(to: [queue])
        a.relink(to: [])
        #expect(!queue.isDrained)
        try await b.send(Parcel(1))
        b.relink(to: [])
        #expect(!queue.isDrained)
        var reader = Inlet(queue).makeAsyncIterator()
        #expect(await reader.next()?.number == 1)
        #expect(await reader.next() == nil)
        #expect(queue.isDrained)
    }
}
