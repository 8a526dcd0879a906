import PhoenixGraph
import PhoenixModel

@testable import PhoenixRuntime

/// Everything that the nodes of one engine did with every message: what a property is checked against.
final class Trace: Sendable {
    struct Sent {
        var outlet: Graph.Port
        /// The times, counted in changes of what may be linked, at which the send began and was over.
        var began: Int
        var ended: Int?
    }
    struct Received: Hashable {
        var port: Graph.Port
        var instance: UInt64
    }
    private struct State {
        var nextInstance: UInt64 = 0
        var sent: [UInt64: Sent] = [:]
        var received: [UInt64: [Graph.Port]] = [:]
        /// By edge the message that was read last.
        var last: [String: UInt64] = [:]
        var slips: [String] = []
        /// What each name had counted when it last told.
        var counted: [NodeID: UInt64] = [:]
        /// How many instances of each name live.
        var living: [NodeID: Int] = [:]
        /// How many calls there are that do not return for long: each holds its node.
        var hanging = 0
        var log: [String] = []
        /// The live setting that each name works by.
        var tags: [NodeID: Int] = [:]
        /// The graphs of which each sender may see one, by time.
        var candidates: [[Graph]] = []
        var failedWith: Set<String> = []
        var plans: [String: Int] = [:]
    }
    private let state = Lock(State())
    private static let all = Lock([String: Trace]())

    static func make(_ name: String) -> Trace {
        let trace = Trace()
        all.withLock { $0[name] = trace }
        return trace
    }
    static func forget(_ name: String) { all.withLock { $0[name] = nil } }
    static func of(_ context: NodeContext) -> Trace {
        all.withLock { $0[context.engine.graph] } ?? Trace()
    }

    var slips: [String] { state.withLock { $0.slips } }
    var living: Int { state.withLock { $0.living.values.reduce(0, +) } }
    var whoLives: String {
        let living = state.withLock { $0.living.filter { $0.value > 0 } }
        return living.sorted { $0.key < $1.key }.map { "\($0.key) x \($0.value)" }.joined(separator: ", ")
    }
    var hanging: Int { state.withLock { $0.hanging } }
    func hang(_ body: () async -> Void) async {
        state.withLock { $0.hanging += 1 }
        await body()
        state.withLock { $0.hanging -= 1 }
    }
    var sentCount: Int { state.withLock { $0.sent.count } }
    /// What happened last, for who looks for the cause of a failure.
    var tail: String { state.withLock { $0.log.suffix(60).joined(separator: "\n") } }
    func note(_ text: String) { state.withLock { $0.log.append(text) } }
    func slip(_ text: String) { state.withLock { $0.slips.append(text) } }
    func born(_ id: NodeID) { state.withLock { $0.living[id, default: 0] += 1 } }
    func died(_ id: NodeID) { state.withLock { $0.living[id, default: 0] -= 1 } }

    func show(_ id: NodeID, tag: Int) { state.withLock { $0.tags[id] = tag } }
    func tag(_ id: NodeID) -> Int? { state.withLock { $0.tags[id] } }

    /// From now on the links are those of one of these graphs.
    func mayBe(_ graphs: [Graph]) { state.withLock { $0.candidates.append(graphs) } }

    /// Sets faults for the next steps: how often what is named fails.
    func plan(_ faults: [String: Int]) { state.withLock { $0.plans = faults } }
    func fails(_ what: String, once instance: UInt64? = nil) -> Bool {
        state.withLock { state in
            guard let left = state.plans[what], left > 0 else { return false }
            if let instance, !state.failedWith.insert("\(what) \(instance)").inserted { return false }
            state.plans[what] = left - 1
            return true
        }
    }

    /// Sends a message of its own, and notes when.
    func send(_ outlet: Outlet<MetricBatch>, of id: NodeID) async throws {
        let instance = begin(of: id)
        do { try await outlet.send(Self.message(instance)) } catch {
            // Placed nowhere: as if it had never been.
            state.withLock { $0.sent[instance] = nil }
            throw error
        }
        state.withLock { $0.sent[instance]?.ended = $0.candidates.count - 1 }
    }
    private func begin(of id: NodeID) -> UInt64 {
        state.withLock { state in
            state.nextInstance += 1
            state.sent[state.nextInstance] = Sent(
                outlet: Graph.Port(id, "out"),
                began: state.candidates.count - 1
            )
            return state.nextInstance
        }
    }
    private static func message(_ instance: UInt64) -> MetricBatch {
        var parts = MetricBatch.Parts()
        parts.numbers.append(
            SeriesID(slot: 0, generation: 0),
            time: instance,
            start: 0,
            bits: 0,
            flags: PointFlags(rawValue: 0)
        )
        return MetricBatch(parts)
    }

    /// A node has taken a message in for good.
    func receive(_ batch: MetricBatch, at port: Graph.Port) {
        state.withLock { state in
            let instance = batch.numbers.times[0]
            state.received[instance, default: []].append(port)
            guard let sender = state.sent[instance]?.outlet else { return }
            let edge = "\(sender) -> \(port)"
            if let last = state.last[edge], last >= instance {
                state.slips.append("\(edge): \(instance) after \(last)")
            }
            state.last[edge] = instance
        }
    }
    /// A node has counted so far; its heirs go on from there.
    func count(_ id: NodeID, _ value: UInt64) {
        state.withLock { state in
            if let last = state.counted[id], last > value {
                state.slips.append("\(id) counted \(last), and then \(value)")
            }
            state.counted[id] = value
        }
    }
    /// The next node of the name begins anew.
    func forget(_ id: NodeID) { state.withLock { $0.counted[id] = nil } }

    /// What is wrong once everything has drained: a message that did not reach exactly those that were linked.
    var verdict: [String] {
        state.withLock { state in
            // What an outlet was linked to in each of the graphs, by time: few of them for all the messages.
            let linked = state.candidates.map { graphs in
                graphs.map { graph in
                    [Graph.Port: [Graph.Link]](grouping: graph.links, by: \.from)
                        .mapValues { $0.map(\.to.description).sorted() }
                }
            }
            let wrong = state.sent.sorted { $0.key < $1.key }.compactMap { instance, sent -> String? in
                let readers = (state.received[instance] ?? []).map(\.description).sorted()
                let times = sent.began...(sent.ended ?? state.candidates.count - 1)
                let allowed = Set(times.flatMap { linked[$0] }.map { $0[sent.outlet] ?? [] })
                return allowed.contains(readers)
                    ? nil : "message \(instance) of \(sent.outlet) reached \(readers), and not one of \(allowed)"
            }
            return state.slips + wrong
        }
    }
}
