import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("An outlet places a message on every edge or on none")
struct FanOutTests {
    @Test func `nothing is placed while one edge is full`() throws {
        try World.run(seeds: 0..<200) { world in
            let wide = InletQueue<Parcel>(limits: QueueLimits(batches: 8))
            let narrow = InletQueue<Parcel>(limits: QueueLimits(batches: 1))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [wide, narrow])
            try await outlet.send(Parcel(0))
            try require(!outlet.offer(Parcel(9)), "offered into a full edge")
            try await withThrowingTaskGroup { group in
                group.addTask { try await outlet.send(Parcel(1)) }
                await settle()
                try require(wide.count == 1, "placed on the wide edge before there was room on the narrow")
                var reader = Inlet(narrow).makeAsyncIterator()
                try require(await reader.next()?.number == 0, "first")
                try await group.waitForAll()
            }
            try require((wide.count, narrow.count) == (2, 1), "\((wide.count, narrow.count))")
        }
    }

    /// Two outlets with the same two edges, in opposite order, and a third queue that one reader feeds.
    @Test func `outlets with the same edges do not block one another`() throws {
        try World.run(seeds: 0..<500) { world in
            let queues = [Int](0..<2).map { _ in InletQueue<Parcel>(limits: QueueLimits(batches: 1)) }
            let outlets = [Int](0..<2).map { _ in Outlet<Parcel>(time: world.clock) }
            outlets[0].relink(to: [queues[0], queues[1]])
            outlets[1].relink(to: [queues[1], queues[0]])
            let received = Shared([[Parcel]](repeating: [], count: 2))
            try await withThrowingTaskGroup { group in
                for (sender, outlet) in outlets.enumerated() {
                    group.addTask {
                        for number in 0..<20 { try await outlet.send(Parcel(number, from: sender)) }
                        outlet.relink(to: [])
                    }
                }
                for (index, queue) in queues.enumerated() {
                    group.addTask {
                        for await parcel in Inlet(queue) { received.change { $0[index].append(parcel) } }
                    }
                }
                try await group.waitForAll()
            }
            for parcels in received.value {
                for sender in 0..<2 {
                    let numbers = parcels.filter { $0.sender == sender }.map(\.number)
                    try require(numbers == Array(0..<20), "from \(sender): \(numbers)")
                }
            }
        }
    }

    /// `x` sends to `a` and `b`, and b's reader sends to `a`: a sender that held a place in `a` while it waits for `b`
    /// would stop b's reader, and so itself.
    @Test func `a diamond with queues of one does not stop`() throws {
        try World.run(seeds: 0..<500) { world in
            let limits = QueueLimits(batches: 1)
            let (a, b) = (InletQueue<Parcel>(limits: limits), InletQueue<Parcel>(limits: limits))
            let (x, y) = (Outlet<Parcel>(time: world.clock), Outlet<Parcel>(time: world.clock))
            x.relink(to: [a, b])
            y.relink(to: [a])
            let count = Shared(0)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for number in 0..<30 { try await x.send(Parcel(number)) }
                    x.relink(to: [])
                }
                group.addTask {
                    for await parcel in Inlet(b) { try await y.send(parcel) }
                    y.relink(to: [])
                }
                group.addTask {
                    for await _ in Inlet(a) {
                        count.add()
                        try require(a.count <= 2, "more than its limit and one for each sender: \(a.count)")
                    }
                }
                try await group.waitForAll()
            }
            try require(count.value == 60, "read \(count.value) of 60")
        }
    }

    @Test func `a port that nobody reads counts what it drops`() async throws {
        let outlet = Outlet<Parcel>()
        try await outlet.send(Parcel(0))
        #expect(outlet.offer(Parcel(1)))
        #expect(outlet.tally.dropped == ["unlinked": 2])
    }
    @Test func `what is observed is for whoever listens`() async throws {
        let outlet = Outlet<Observation>()
        try await outlet.send(Observation(source: "a", timeUnixNano: 1, readings: []))
        #expect(outlet.tally.dropped.isEmpty)
    }
}
