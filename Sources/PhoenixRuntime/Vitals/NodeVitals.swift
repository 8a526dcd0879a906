public import PhoenixGraph
import PhoenixModel

/// What the engine shows of one node on its own `/metrics`.
///
/// What passes its ports is counted by the edges; the node adds what it alone knows.
public final class NodeVitals: Sendable {
    struct Key: Hashable {
        let name: String
        let labels: [String: String]
    }
    private struct State {
        var counters: [Key: (counter: Counter, help: String)] = [:]
        var gauges: [Key: (gauge: Gauge, help: String)] = [:]
        /// By port. The edges are held, so that what they counted can be read to the end of the engine.
        var inlets: [String: @Sendable () -> InletMeter] = [:]
        var outlets: [String: @Sendable () -> EdgeTally] = [:]
    }
    struct InletMeter {
        var tally: EdgeTally
        var count: Int
        var bytes: Int
        var limits: QueueLimits
    }
    public let node: NodeID
    private let state = Lock(State())

    public init(_ node: NodeID) { self.node = node }

    /// The counter of that name and labels, the same for all who ask; keep it, since asking takes a lock.
    ///
    /// By custom `name` begins with `phoenix_` and ends with `_total`. The label `node` is added by the engine.
    public func counter(_ name: String, _ labels: [String: String] = [:], _ help: String = "") -> Counter {
        state.withLock { state in
            let key = Key(name: name, labels: labels)
            if let known = state.counters[key] { return known.counter }
            let counter = Counter()
            state.counters[key] = (counter, help)
            return counter
        }
    }
    /// The gauge of that name and labels, the same for all who ask; keep it, since asking takes a lock.
    public func gauge(_ name: String, _ labels: [String: String] = [:], _ help: String = "") -> Gauge {
        state.withLock { state in
            let key = Key(name: name, labels: labels)
            if let known = state.gauges[key] { return known.gauge }
            let gauge = Gauge()
            state.gauges[key] = (gauge, help)
            return gauge
        }
    }
    /// Counts points that go no further, and why: every drop has a reason.
    public func drop(_ points: Int, reason: String) {
        guard points > 0 else { return }
        counter(Vitals.dropped, ["reason": reason], Vitals.droppedHelp).add(points)
    }
    /// Counts one restart.
    func countRestart() {
        counter(Vitals.restarts, [:], "How often the node failed and was started anew.").add()
    }

    func watch<Content>(_ queue: InletQueue<Content>, port: String) {
        let meter: @Sendable () -> InletMeter = {
            InletMeter(tally: queue.tally, count: queue.count, bytes: queue.byteCount, limits: queue.limits)
        }
        state.withLock { $0.inlets[port] = meter }
    }
    func watch<Content>(_ outlet: Outlet<Content>, port: String) {
        state.withLock { $0.outlets[port] = { outlet.tally } }
    }

    /// Every series of the node now.
    func samples() -> [(name: String, help: String, kind: VitalsSnapshot.Kind, sample: VitalsSnapshot.Sample)]
    {
        let (counters, gauges, inlets, outlets) = state.withLock { state in
            (state.counters, state.gauges, state.inlets, state.outlets)
        }
        var result: [(name: String, help: String, kind: VitalsSnapshot.Kind, sample: VitalsSnapshot.Sample)] =
            []
        func add(
            _ name: String,
            _ help: String,
            _ kind: VitalsSnapshot.Kind,
            _ labels: [String: String],
            _ value: Double
        ) {
            var labels = labels
            labels["node"] = node
            result.append((name, help, kind, .init(labels: labels, value: value)))
        }
        for (key, entry) in counters {
            add(key.name, entry.help, .counter, key.labels, Double(entry.counter.value))
        }
        for (key, entry) in gauges { add(key.name, entry.help, .gauge, key.labels, entry.gauge.value) }
        for (port, meter) in inlets {
            let (meter, labels) = (meter(), ["port": port])
            add(Vitals.batchesIn, "Messages read.", .counter, labels, Double(meter.tally.batches))
            add(Vitals.pointsIn, "Points read.", .counter, labels, Double(meter.tally.points))
            add(Vitals.queued, "Messages that wait to be read.", .gauge, labels, Double(meter.count))
            add(Vitals.queuedBytes, "Bytes that wait to be read.", .gauge, labels, Double(meter.bytes))
            let fill = max(
                Double(meter.count) / Double(meter.limits.batches),
                Double(meter.bytes) / Double(meter.limits.bytes)
            )
            add(Vitals.fill, "How full the queue is; 1 makes senders wait.", .gauge, labels, fill)
            for (reason, points) in meter.tally.dropped {
                let labels = ["port": port, "reason": reason]
                add(Vitals.dropped, Vitals.droppedHelp, .counter, labels, Double(points))
            }
        }
        for (port, tally) in outlets {
            let (tally, labels) = (tally(), ["port": port])
            add(Vitals.batchesOut, "Messages sent.", .counter, labels, Double(tally.batches))
            add(Vitals.pointsOut, "Points sent.", .counter, labels, Double(tally.points))
            let seconds = Double(tally.nanosecondsBlocked) / 1e9
            add(Vitals.blocked, "Time that senders waited for room downstream.", .counter, labels, seconds)
            for (reason, points) in tally.dropped {
                let labels = ["port": port, "reason": reason]
                add(Vitals.dropped, Vitals.droppedHelp, .counter, labels, Double(points))
            }
        }
        return result
    }
}
