import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A failed reader loses nothing")
struct RedeliveryTests {
    private func filled(_ count: Int) async throws -> (Outlet<Parcel>, InletQueue<Parcel>) {
        let (queue, outlet) = (InletQueue<Parcel>(), Outlet<Parcel>())
        outlet.relink(to: [queue])
        for number in 0..<count { try await outlet.send(Parcel(number)) }
        return (outlet, queue)
    }

    @Test func `the message in hand comes first in the next run`() async throws {
        let (outlet, queue) = try await filled(3)
        var first = Inlet(queue).makeAsyncIterator()
        #expect(await first.next()?.number == 0)
        #expect(await first.next()?.number == 1)
        #expect(queue.returnInHand() == .returned)
        outlet.relink(to: [])
        #expect(!queue.isDrained)
        var read: [Int] = []
        for await parcel in Inlet(queue).messages { read.append(parcel.number) }
        #expect(read == [1, 2])
        #expect(queue.isDrained)
        #expect(queue.tally.batches == 3, "each message is counted once")
    }

    @Test func `a message that throws twice is set aside and counted`() async throws {
        let (_, queue) = try await filled(2)
        var reader = Inlet(queue).makeAsyncIterator()
        #expect(await reader.next()?.number == 0)
        #expect(queue.returnInHand() == .returned)
        #expect(await reader.next()?.number == 0)
        #expect(queue.returnInHand() == .setAside)
        #expect(await reader.next()?.number == 1)
        #expect(queue.tally.dropped == ["set_aside": 1])
        #expect(queue.tally.batches == 0)
    }

    @Test func `a message that was booked is not given again`() async throws {
        let (_, queue) = try await filled(2)
        let inlet = Inlet(queue)
        var reader = inlet.makeAsyncIterator()
        #expect(await reader.next()?.number == 0)
        inlet.settle()
        #expect(queue.returnInHand() == .nothing)
        #expect(await reader.next()?.number == 1)
    }

    @Test func `readers cancelled at random lose nothing`() throws {
        try World.run(seeds: 0..<500) { world in
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 1 + Int(world.seed % 4)))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [queue])
            let read = Shared([Int]())
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for number in 0..<60 { try await outlet.send(Parcel(number)) }
                    outlet.relink(to: [])
                }
                var random = world.random
                for reader in 0..<6 {
                    await withTaskGroup { readers in
                        readers.addTask {
                            if reader % 2 == 0 {
                                for await parcel in Inlet(queue) { read.change { $0.append(parcel.number) } }
                            } else {
                                for await parcel in Inlet(queue).messages {
                                    read.change { $0.append(parcel.number) }
                                }
                            }
                        }
                        if reader < 5 {
                            await settle(Int.random(in: 0..<30, using: &random))
                            readers.cancelAll()
                        }
                    }
                }
                try await group.waitForAll()
            }
            try require(read.value == Array(0..<60), "read \(read.value)")
        }
    }
}
