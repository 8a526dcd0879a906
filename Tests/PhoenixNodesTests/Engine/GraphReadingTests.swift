import Dispatch
import PhoenixGraph
import Testing

@testable import PhoenixNodes

/// A graph is read where nobody is held up.
@Suite(.timeLimit(.minutes(10))) struct GraphReadingTests {
    private static let small = LoadedGraph(graph: Graph(), files: ["a"], sources: [:])

    @Test func whatIsReadIsAnswered() async throws {
        #expect(try await GraphReading.run { () throws(GraphRefusal) in Self.small }.files == ["a"])
        let refusal = await #expect(throws: GraphRefusal.self) {
            try await GraphReading.run { () throws(GraphRefusal) in throw GraphRefusal([], files: ["b"]) }
        }
        #expect(refusal?.files == ["b"])
    }

    @Test func aDiskThatDoesNotAnswerHoldsUpNobodyWhoIsToldToEnd() async {
        let disk = DispatchSemaphore(value: 0)
        let (begins, begun) = AsyncStream.makeStream(of: Void.self)
        let error = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                do {
                    let loaded = try await GraphReading.run { () throws(GraphRefusal) in
                        begun.yield()
                        disk.wait()
                        return Self.small
                    }
                    Issue.record("\(loaded.files) were read")
                    return nil
                } catch {
                    return error
                }
            }
            for await _ in begins { break }
            group.cancelAll()
            return await group.next() ?? nil
        }
        disk.signal()
        #expect(error is CancellationError)
    }
}
