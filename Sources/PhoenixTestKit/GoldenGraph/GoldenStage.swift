import PhoenixModel
import PhoenixRuntime

/// What a golden case shares with its `given` and `expect` nodes while it runs.
///
/// A task-local value, since nodes are made by the engine, inside the task that runs the case.
final class GoldenStage: Sendable {
    @TaskLocal static var current: GoldenStage?

    let given: String
    /// Where exporters claim to be scraped; nothing is opened.
    let listeners = Listeners(StagedServers())
    private struct State {
        var isFinished = false
        var waiter: CheckedContinuation<Void, Never>?
        var written: [String: [[String]]] = [:]
    }
    private let state = Lock(State())

    init(given: String) { self.given = given }

    func write(_ lines: [String], by node: String) {
        state.withLock { $0.written[node, default: []].append(lines) }
    }

    /// Whether there are exporters to be scraped.
    var isScraped: Bool { listeners.served.contains { $0.endpoint is any SpokenEndpoint } }
    /// Writes down what the exporters expose now; the lines are indented, for `#` begins a comment in a golden case.
    func scrape() {
        for served in listeners.served {
            for (name, text) in (served.endpoint as? any SpokenEndpoint)?.spoken ?? [] where !text.isEmpty {
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                write(lines.map { "  " + $0 }, by: "\(served.owner): \(name)")
            }
        }
    }

    /// Everything has been sent.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            return state.waiter.take()
        }?.resume()
    }
    /// Returns once everything has been sent.
    func finished() async {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.waiter = continuation }
                return state.isFinished
            }
            if isFinished { continuation.resume() }
        }
    }

    /// What was written: the batches of each node, with an empty line between, under the node's name if there are several.
    var transcript: String {
        let written = state.withLock { $0.written }.sorted { $0.key < $1.key }
        return written.map { node, batches in
            (written.count > 1 ? "== \(node)\n" : "")
                + batches.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
        }.joined(separator: "\n\n")
    }
}
