import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("An event loop hands over without waiting")
struct OfferTests {
    /// Offers numbers in turn, and goes on when it is called back.
    final class EventLoop: Sendable {
        private let outlet: Outlet<Parcel>
        private let sender: Int
        private let left: Shared<Int>
        private let total: Int
        private let whenDone: @Sendable () -> Void
        init(_ outlet: Outlet<Parcel>, sender: Int, total: Int, whenDone: @escaping @Sendable () -> Void) {
            (self.outlet, self.sender, self.total, self.whenDone) = (outlet, sender, total, whenDone)
            left = Shared(total)
        }
        func pump() {
            while left.value > 0 {
                guard outlet.offer(Parcel(total - left.value, from: sender)) else {
                    outlet.onRoom { self.pump() }
                    return
                }
                left.add(-1)
            }
            whenDone()
        }
    }

    @Test func `event loops and waiting senders all get through, in order`() throws {
        try World.run(seeds: 0..<300) { world in
            let first = InletQueue<Parcel>(limits: QueueLimits(batches: 1 + Int(world.seed % 3)))
            let second = InletQueue<Parcel>(limits: QueueLimits(batches: 2))
            let outlets = [Int](0..<3).map { _ in Outlet<Parcel>(time: world.clock) }
            outlets[0].relink(to: [first])
            outlets[1].relink(to: [first, second])
            outlets[2].relink(to: [first])
            let done = Shared(0)
            let finish: @Sendable () -> Void = {
                done.add()
                if done.value == 4 { for outlet in outlets { outlet.relink(to: []) } }
            }
            let received = Shared([Parcel]())
            try await withThrowingTaskGroup { group in
                group.addTask { for await parcel in Inlet(first) { received.change { $0.append(parcel) } } }
                group.addTask { for await _ in Inlet(second) {} }
                for (sender, outlet) in outlets.enumerated() {
                    group.addTask { EventLoop(outlet, sender: sender, total: 20, whenDone: finish).pump() }
                }
                // On the same outlet as an event loop.
                group.addTask {
                    for number in 0..<20 { try await outlets[2].send(Parcel(number, from: 3)) }
                    finish()
                }
                try await group.waitForAll()
            }
            for sender in 0..<4 {
                let numbers = received.value.filter { $0.sender == sender }.map(\.number)
                try require(numbers == Array(0..<20), "from \(sender): \(numbers)")
            }
        }
    }

    @Test func `an event loop is called back when a relink makes room`() throws {
        try World.run { world in
            let full = InletQueue<Parcel>(limits: QueueLimits(batches: 1))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [full])
            #expect(outlet.offer(Parcel(0)))
            #expect(!outlet.offer(Parcel(1)))
            let calls = Shared(0)
            outlet.onRoom { calls.add() }
            #expect(calls.value == 0)
            let empty = InletQueue<Parcel>(limits: QueueLimits(batches: 1))
            outlet.relink(to: [empty])
            #expect(calls.value == 1)
            #expect(outlet.offer(Parcel(1)))
        }
    }
}
