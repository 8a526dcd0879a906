import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

/// Everything at once: many senders into one inlet and a shared second one, readers and senders cancelled at random,
/// links changed and the gate closed meanwhile.
@Suite("Under stress nothing is lost, doubled, leaked or hung")
struct EdgeStressTests {
    private struct Counts {
        var sent: Set<Int> = []
        var read: [Int] = []
        var readBeside: [Int] = []
    }
    private static let senders = 8, messages = 40

    /// `breathe` lets others run: by yields in a world, for real on threads.
    private static func storm(seed: UInt64, time: (any TimeSource)?, alive: Parcel.Alive) async throws {
        var random = SeededGenerator(seed: seed)
        let limits = QueueLimits(batches: 1 + Int(seed % 5), bytes: 40)
        let main = InletQueue<Parcel>(limits: limits), beside = InletQueue<Parcel>(limits: limits)
        // One sender more, so that the queues end only when the test says so.
        let keeper = Outlet<Parcel>()
        keeper.relink(to: [main, beside])
        let outlets = [Int](0..<senders).map { _ in Outlet<Parcel>(time: time) }
        for (index, outlet) in outlets.enumerated() {
            outlet.relink(to: index % 2 == 0 ? [main] : [beside, main])
        }
        let counts = Shared(Counts())
        let seeds = outlets.map { _ in random.next() }
        try await withThrowingTaskGroup { group in
            group.addTask {
                await read(main, seed: seed &+ 1) { number in counts.change { $0.read.append(number) } }
            }
            group.addTask {
                await read(beside, seed: seed &+ 2) { number in counts.change { $0.readBeside.append(number) }
                }
            }
            try await withThrowingTaskGroup { senders in
                for (index, outlet) in outlets.enumerated() {
                    senders.addTask {
                        try await send(outlet, index, seed: seeds[index], alive) { number in
                            counts.change { $0.sent.insert(number) }
                        }
                    }
                }
                for _ in 0..<10 {
                    await settle(Int.random(in: 0..<40, using: &random))
                    let index = Int.random(in: 0..<Self.senders, using: &random)
                    let isWide = Bool.random(using: &random)
                    if isWide { outlets[index].hold() }
                    // The main queue stays linked, so that every message must come out of it.
                    outlets[index].relink(to: isWide ? [main, beside] : [main])
                    outlets[index].release()
                }
                try await senders.waitForAll()
            }
            for outlet in outlets + [keeper] { outlet.relink(to: []) }
            try await group.waitForAll()
        }
        let result = counts.value
        try require(result.read.count == Set(result.read).count, "read twice")
        try require(Set(result.read) == result.sent, "lost \(result.sent.subtracting(result.read).count)")
        try require(Set(result.readBeside).isSubset(of: result.sent), "beside: something never sent")
        for sender in 0..<senders {
            let own = result.read.filter { $0 / 1_000 == sender }
            try require(own == own.sorted(), "order of \(sender): \(own)")
        }
        try require(main.isDrained && beside.isDrained, "not drained")
    }

    /// Each message in a task of its own, some cancelled: what throws must not arrive, and what does not must.
    private static func send(
        _ outlet: Outlet<Parcel>,
        _ index: Int,
        seed: UInt64,
        _ alive: Parcel.Alive,
        _ note: @escaping @Sendable (Int) -> Void
    ) async throws {
        var random = SeededGenerator(seed: seed)
        for message in 0..<messages {
            let number = index * 1_000 + message
            let patience = Int.random(in: 0..<200, using: &random)
            let parcel = Parcel(
                number,
                from: index,
                bytes: Int.random(in: 1...60, using: &random),
                alive: alive
            )
            try await withThrowingTaskGroup { group in
                group.addTask {
                    do {
                        try await outlet.send(parcel)
                        note(number)
                    } catch is CancellationError {}
                }
                if patience < 30 {
                    await settle(patience)
                    group.cancelAll()
                }
                try await group.waitForAll()
            }
        }
    }

    /// Reader after reader, most of them cancelled; now and then one fails with a message in hand.
    private static func read(
        _ queue: InletQueue<Parcel>,
        seed: UInt64,
        _ note: @escaping @Sendable (Int) -> Void
    ) async {
        var random = SeededGenerator(seed: seed)
        while !queue.isDrained {
            let patience = Int.random(in: 0..<60, using: &random)
            let failsAfter = Int.random(in: 0..<20, using: &random)
            await withTaskGroup { group in
                group.addTask {
                    var left = failsAfter
                    for await parcel in Inlet(queue) {
                        left -= 1
                        // A first failure only: a second would set the message aside.
                        if left == 0, queue.attemptsInHand == 0 {
                            _ = queue.returnInHand()
                            return
                        }
                        note(parcel.number)
                    }
                }
                await settle(patience)
                group.cancelAll()
            }
        }
    }

    @Test func `in a world, by seed`() throws {
        for seed in 0..<500 as Range<UInt64> {
            let alive = Parcel.Alive()
            try World.run(seed: seed) { world in
                try await Self.storm(seed: seed, time: world.clock, alive: alive)
            }
            #expect(alive.count == 0, "seed \(seed): \(alive.count) messages leaked")
        }
    }

    @Test(.timeLimit(.minutes(2))) func `on threads`() async throws {
        let alive = Parcel.Alive()
        for seed in 0..<100 as Range<UInt64> { try await Self.storm(seed: seed, time: nil, alive: alive) }
        #expect(alive.count == 0)
    }

    @Test func `a queue goes with its last owner, though outlets were linked to it`() async throws {
        let alive = Parcel.Alive()
        weak var gone: InletQueue<Parcel>?
        do {
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 1))
            gone = queue
            let outlet = Outlet<Parcel>()
            outlet.relink(to: [queue])
            try await outlet.send(Parcel(1, alive: alive))
            outlet.onRoom {}
            outlet.relink(to: [])
        }
        #expect(gone == nil)
        #expect(alive.count == 0)
    }
}
