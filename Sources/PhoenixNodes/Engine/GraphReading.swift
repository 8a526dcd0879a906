import Dispatch
import PhoenixGraph

/// The reading of a graph, on a thread that is let go when the task that asked for it is cancelled: a disk that never answers
/// holds up no drain and no end.
enum GraphReading {
    /// Throws `GraphRefusal`, or `CancellationError` where nobody waits any more.
    static func run(
        _ read: @escaping @Sendable () throws(GraphRefusal) -> LoadedGraph
    ) async throws -> LoadedGraph {
        let (results, tell) = AsyncStream.makeStream(of: Result<LoadedGraph, GraphRefusal>.self)
        DispatchQueue(label: "phoenix.reading").async {
            do throws(GraphRefusal) { tell.yield(.success(try read())) } catch { tell.yield(.failure(error)) }
            tell.finish()
        }
        for await result in results { return try result.get() }
        throw CancellationError()
    }
}
