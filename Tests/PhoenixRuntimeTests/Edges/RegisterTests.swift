import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("Observations and modes: the newest counts, no sender waits")
struct RegisterTests {
    private func observation(
        _ source: String,
        at seconds: UInt64,
        _ value: Double = 0,
        alerts: [String] = []
    ) -> Observation {
        Observation(
            source: source,
            timeUnixNano: seconds * 1_000_000_000,
            readings: [.init("x", value)],
            alerts: alerts.map { .init($0, "because") }
        )
    }

    @Test func `of each source the newest observation is kept`() async throws {
        let queue = InletQueue<Observation>(limits: QueueLimits(batches: 1))
        let (a, b) = (Outlet<Observation>(), Outlet<Observation>())
        a.relink(to: [queue])
        b.relink(to: [queue])
        for time in 1...100 as ClosedRange<UInt64> {
            try await a.send(observation("a", at: time, Double(time)))
            try await b.send(observation("b", at: time, -Double(time)))
        }
        #expect(queue.count == 2)
        #expect(queue.byteCount == 2 * observation("a", at: 0).byteCount)
        a.relink(to: [])
        b.relink(to: [])
        var read: [Double] = []
        for await observation in Inlet(queue) { read.append(observation.readings[0].value) }
        #expect(read == [100, -100])
    }

    @Test func `an alert stays set for a control period`() async throws {
        let queue = InletQueue<Observation>(limits: QueueLimits(alertPeriod: .seconds(60)))
        let outlet = Outlet<Observation>()
        outlet.relink(to: [queue])
        var reader = Inlet(queue).makeAsyncIterator()
        func alerts(after observation: Observation) async throws -> [String] {
            try await outlet.send(observation)
            return await reader.next()?.alerts.map(\.name) ?? []
        }
        #expect(try await alerts(after: observation("a", at: 0, alerts: ["burst"])) == ["burst"])
        #expect(try await alerts(after: observation("a", at: 10, alerts: ["loss"])) == ["loss", "burst"])
        #expect(try await alerts(after: observation("b", at: 20)) == [])
        #expect(try await alerts(after: observation("a", at: 59)) == ["burst", "loss"])
        #expect(try await alerts(after: observation("a", at: 60)) == ["loss"])
        #expect(try await alerts(after: observation("a", at: 70)) == [])
    }

    @Test func `every new reader is told the mode that holds`() async throws {
        let queue = InletQueue<ModeChange>()
        let outlet = Outlet<ModeChange>()
        outlet.relink(to: [queue])
        try await outlet.send(ModeChange(.balanced, because: "1"))
        try await outlet.send(ModeChange(.aggressive, because: "2"))
        var first = Inlet(queue).makeAsyncIterator()
        #expect(await first.next()?.reason == "2")
        var heir = Inlet(queue).messages.makeAsyncIterator()
        #expect(await heir.next()?.reason == "2")
        let late = InletQueue<ModeChange>()
        outlet.relink(to: [queue, late])
        var linkedLater = Inlet(late).makeAsyncIterator()
        #expect(await linkedLater.next()?.reason == "2")
    }

    @Test func `a mode that throws twice is not told again, the next one is`() async throws {
        let queue = InletQueue<ModeChange>()
        let outlet = Outlet<ModeChange>()
        outlet.relink(to: [queue])
        try await outlet.send(ModeChange(.aggressive, because: "bad"))
        var reader = Inlet(queue).makeAsyncIterator()
        #expect(await reader.next()?.reason == "bad")
        #expect(queue.returnInHand() == .nothing)
        reader = Inlet(queue).makeAsyncIterator()
        #expect(await reader.next()?.reason == "bad")
        #expect(queue.returnInHand() == .setAside)
        reader = Inlet(queue).makeAsyncIterator()
        #expect(queue.count == 0)
        try await outlet.send(ModeChange(.balanced, because: "good"))
        #expect(await reader.next()?.reason == "good")
    }

    @Test func `a returned observation gives way to a newer one of its source`() async throws {
        let queue = InletQueue<Observation>()
        let outlet = Outlet<Observation>()
        outlet.relink(to: [queue])
        try await outlet.send(observation("a", at: 1, 1))
        var reader = Inlet(queue).makeAsyncIterator()
        #expect(await reader.next()?.readings[0].value == 1)
        try await outlet.send(observation("a", at: 2, 2))
        #expect(queue.returnInHand() == .nothing)
        #expect(await reader.next()?.readings[0].value == 2)
        #expect(queue.returnInHand() == .returned)
        #expect(await reader.next()?.readings[0].value == 2)
    }
}
