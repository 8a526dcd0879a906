import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A full queue makes its senders wait")
struct BackpressureTests {
    @Test func `a sender waits at capacity, and is woken at half empty`() throws {
        try World.run(seeds: 0..<200) { world in
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 4))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [queue])
            let sent = Shared(0)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for number in 0..<10 {
                        try await outlet.send(Parcel(number))
                        sent.add()
                    }
                    outlet.relink(to: [])
                }
                await settle()
                try require(sent.value == 4, "sent \(sent.value) into a queue of 4")
                var reader = Inlet(queue).makeAsyncIterator()
                var read = [await reader.next()?.number]
                await settle()
                try require(sent.value == 4, "woken with 3 of 4 places taken")
                read.append(await reader.next()?.number)
                await settle()
                try require(sent.value == 6, "half empty: sent \(sent.value), not 6")
                while let parcel = await reader.next() { read.append(parcel.number) }
                try require(read == Array(0..<10), "order: \(read)")
                try await group.waitForAll()
            }
        }
    }

    @Test func `bytes bound a queue too, and one message larger than the bound still passes`() throws {
        try World.run { world in
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 64, bytes: 100))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [queue])
            #expect(outlet.offer(Parcel(0, bytes: 1_000)))
            #expect(!outlet.offer(Parcel(1, bytes: 1)))
            var reader = Inlet(queue).makeAsyncIterator()
            #expect(await reader.next()?.number == 0)
            #expect(outlet.offer(Parcel(2, bytes: 60)))
            #expect(!outlet.offer(Parcel(3, bytes: 60)))
            #expect(outlet.offer(Parcel(4, bytes: 40)))
            #expect(queue.byteCount == 100)
        }
    }

    @Test func `the bytes that wait are booked, and unbooked when they are read or given up`() throws {
        try World.run { _ in
            let gate = AdmissionGate()
            let outlet = Outlet<Parcel>()
            do {
                let queue = InletQueue<Parcel>(account: gate.account("edges"))
                outlet.relink(to: [queue])
                for number in 0..<3 { try await outlet.send(Parcel(number, bytes: 10)) }
                #expect(gate.bytes == 30)
                var reader = Inlet(queue).makeAsyncIterator()
                #expect(await reader.next()?.number == 0)
                #expect(gate.bytesByAccount == ["edges": 20])
                outlet.relink(to: [])
            }
            #expect(gate.bytes == 0, "a queue that goes takes its bytes along")
        }
    }

    @Test func `a deadline ends the wait, and the message is placed nowhere`() throws {
        try World.run(seeds: 0..<200) { world in
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 1))
            let outlet = Outlet<Parcel>("a.out", time: world.clock)
            outlet.relink(to: [queue])
            try await outlet.send(Parcel(0), within: .seconds(1))
            do {
                try await outlet.send(Parcel(1), within: .seconds(1))
                throw Unexpected("sent into a full queue")
            } catch let error as SendError {
                try require(error == SendError(.deadline, port: "a.out"), "\(error)")
            }
            try require(world.clock.monotonic == .seconds(1), "waited \(world.clock.monotonic)")
            try require(queue.count == 1, "placed after all")
            try require(outlet.tally.nanosecondsBlocked == 1_000_000_000, "the wait is counted")
        }
    }

    @Test func `a sender cancelled while it waits leaves no message`() throws {
        try World.run(seeds: 0..<500) { world in
            let alive = Parcel.Alive()
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 1))
            let outlet = Outlet<Parcel>(time: world.clock)
            outlet.relink(to: [queue])
            let outcomes = Shared([Bool]())
            try await outlet.send(Parcel(0, alive: alive))
            await withTaskGroup { group in
                // The first waits for room, the others for their turn.
                for number in 1...3 {
                    group.addTask {
                        do {
                            try await outlet.send(Parcel(number, alive: alive))
                            outcomes.change { $0.append(true) }
                        } catch {
                            outcomes.change { $0.append(!(error is CancellationError)) }
                        }
                    }
                }
                await settle(Int(world.seed % 20))
                group.cancelAll()
            }
            try require(outcomes.value == [false, false, false], "outcomes \(outcomes.value)")
            try require(queue.count == 1 && alive.count == 1, "left \(queue.count), alive \(alive.count)")
            var reader = Inlet(queue).makeAsyncIterator()
            try require(await reader.next()?.number == 0, "the first is there")
            try await outlet.send(Parcel(9))
            try require(await reader.next()?.number == 9, "the outlet still works")
        }
    }

    @Test func `a sender of a queue that takes nothing more is refused, waiting or not`() throws {
        try World.run(seeds: 0..<200) { world in
            let queue = InletQueue<Parcel>(limits: QueueLimits(batches: 1))
            let outlet = Outlet<Parcel>("a.out", time: world.clock)
            outlet.relink(to: [queue])
            try await outlet.send(Parcel(0))
            let errors = Shared(0)
            await withTaskGroup { group in
                for number in 1...2 {
                    group.addTask {
                        do { try await outlet.send(Parcel(number)) } catch { errors.add() }
                    }
                }
                await settle(Int(world.seed % 10))
                queue.shut()
            }
            try require(errors.value == 2, "refused \(errors.value) of 2")
            var reader = Inlet(queue).makeAsyncIterator()
            try require(await reader.next()?.number == 0, "what was there can be read")
            try require(await reader.next() == nil, "then it ends")
        }
    }
}
