public import PhoenixGraph
import PhoenixModel

/// What the engine shows of itself: the vitals of all its nodes.
public final class Vitals: Sendable {
    static let batchesIn = "phoenix_node_batches_in_total"
    static let batchesOut = "phoenix_node_batches_out_total"
    static let pointsIn = "phoenix_node_points_in_total"
    static let pointsOut = "phoenix_node_points_out_total"
    static let dropped = "phoenix_node_points_dropped_total"
    static let droppedHelp = "Points that went no further, by reason."
    static let restarts = "phoenix_node_restarts_total"
    static let blocked = "phoenix_node_blocked_seconds_total"
    static let queued = "phoenix_node_queue_batches"
    static let queuedBytes = "phoenix_node_queue_bytes"
    static let fill = "phoenix_node_queue_fill_ratio"

    private let nodes = Lock([NodeID: NodeVitals]())
    private let gate: AdmissionGate?

    public init(gate: AdmissionGate? = nil) { self.gate = gate }

    /// The vitals of a node, the same for all who ask; they outlive its replacement.
    public func node(_ id: NodeID) -> NodeVitals {
        nodes.withLock { nodes in
            if let vitals = nodes[id] { return vitals }
            let vitals = NodeVitals(id)
            nodes[id] = vitals
            return vitals
        }
    }
    /// Forgets a node that was removed from the graph.
    public func forget(_ id: NodeID) { nodes.withLock { $0[id] = nil } }

    /// Every series now, families sorted by name.
    public func snapshot() -> VitalsSnapshot {
        var families: [String: VitalsSnapshot.Family] = [:]
        func add(_ name: String, _ help: String, _ kind: VitalsSnapshot.Kind, _ sample: VitalsSnapshot.Sample)
        {
            families[name, default: .init(name: name, help: help, kind: kind, samples: [])].samples.append(
                sample
            )
        }
        let all = nodes.withLock { $0.values.sorted { $0.node < $1.node } }
        for vitals in all {
            for entry in vitals.samples() { add(entry.name, entry.help, entry.kind, entry.sample) }
        }
        if let gate {
            for (account, bytes) in gate.bytesByAccount {
                let sample = VitalsSnapshot.Sample(labels: ["account": account], value: Double(bytes))
                add("phoenix_memory_accounted_bytes", "Memory, by what holds it.", .gauge, sample)
            }
            let refusals = VitalsSnapshot.Sample(labels: [:], value: Double(gate.refusals))
            add("phoenix_requests_refused_total", "Requests refused for want of memory.", .counter, refusals)
        }
        return VitalsSnapshot(families: families.values.sorted { $0.name < $1.name })
    }
}

/// Vitals at one moment, as plain data: whoever serves them renders them.
public struct VitalsSnapshot: Sendable, Equatable {
    public enum Kind: String, Sendable { case counter, gauge }
    public struct Sample: Sendable, Equatable {
        public var labels: [String: String]
        public var value: Double
        public init(labels: [String: String], value: Double) { (self.labels, self.value) = (labels, value) }
    }
    public struct Family: Sendable, Equatable {
        public var name: String
        public var help: String
        public var kind: Kind
        public var samples: [Sample]
        public init(name: String, help: String, kind: Kind, samples: [Sample]) {
            (self.name, self.help, self.kind, self.samples) = (name, help, kind, samples)
        }
    }
    public var families: [Family]
    public init(families: [Family]) { self.families = families }
    /// The value of one series, summed over the labels that are not named; nil when there is none.
    public func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let samples = families.first { $0.name == name }?.samples.filter { sample in
            labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
        guard let samples, !samples.isEmpty else { return nil }
        return samples.reduce(0) { $0 + $1.value }
    }
}
