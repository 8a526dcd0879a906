import PhoenixModel
import PhoenixRuntime

/// A message over one edge: from a task that sends to a node that reads, at several capacities.
enum Edges {
    private static let messages = 200_000

    static func run() async throws {
        for capacity in [8, 64, 1024] {
            try await time("edge, stream, capacity \(capacity)", capacity) { inlet in
                var count = 0
                for await batch in inlet.messages { count += batch.pointCount }
                return count
            }
            try await time("edge, inlet itself, capacity \(capacity)", capacity) { inlet in
                var count = 0
                for await batch in inlet { count += batch.pointCount }
                return count
            }
        }
    }
    private static func time(
        _ name: String,
        _ capacity: Int,
        _ read: @escaping @Sendable (Inlet<MetricBatch>) async -> Int
    ) async throws {
        var parts = MetricBatch.Parts()
        parts.numbers.append(SeriesID(slot: 1, generation: 2), time: 1, start: 0, bits: 1, flags: .isInteger)
        let batch = MetricBatch(parts)
        var best = Double.infinity
        for _ in 0..<3 {
            let queue = InletQueue<MetricBatch>(limits: QueueLimits(batches: capacity))
            let outlet = Outlet<MetricBatch>()
            outlet.relink(to: [queue])
            let start = Micro.cpuSeconds
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask { await read(Inlet(queue)) }
                for _ in 0..<messages { try await outlet.send(batch) }
                outlet.relink(to: [])
                let count = try await group.next()
                precondition(count == messages)
            }
            best = min(best, Micro.cpuSeconds - start)
        }
        Micro.report(name, best, per: messages)
    }
}
