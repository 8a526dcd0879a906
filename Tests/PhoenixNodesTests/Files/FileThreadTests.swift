import Dispatch
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// Work on files that do not answer, by a real thread: what it waits for is the test's to give.
@Suite(.timeLimit(.minutes(10))) struct FileThreadTests {
    private static func thread(_ patience: Duration) -> FileThread {
        FileThread(NodeHarness(SystemTime()).context, "a file", patience: patience)
    }

    @Test func workIsDoneInItsOrder() async {
        let thread = Self.thread(.seconds(600))
        let done = Lock([Int]())
        for number in 0..<20 {
            let answer = await thread.run { () -> Int in
                done.withLock { $0.append(number) }
                return number
            }
            #expect(answer == number)
        }
        #expect(done.withLock { $0 } == Array(0..<20))
    }
    @Test func aFileThatDoesNotAnswerCostsItsPatienceOnceAndNothingMore() async {
        let thread = Self.thread(.milliseconds(1))
        let (answer, begun) = (DispatchSemaphore(value: 0), Lock(0))
        let late = Lock(false)
        let first = await thread.run { () -> Bool in
            begun.withLock { $0 += 1 }
            answer.wait()
            late.withLock { $0 = true }
            return true
        }
        #expect(first == nil)
        // Nothing is begun behind it, so nothing is waited for either.
        for _ in 0..<100 {
            let next = await thread.run { () -> Bool in
                begun.withLock { $0 += 1 }
                return true
            }
            #expect(next == nil)
        }
        #expect(begun.withLock { $0 } == 1)
        answer.signal()
        // The next that is taken finds all of it done.
        while await thread.run({ late.withLock { $0 } }) != true { await Task.yield() }
        #expect(begun.withLock { $0 } == 1)
    }
    @Test func whatIsFoundLateIsTheNextAnswerAndIsNotLookedForTwice() async {
        let thread = Self.thread(.milliseconds(1))
        let (answer, begun, late) = (DispatchSemaphore(value: 0), Lock(0), Lock<Int?>(nil))
        let job: @Sendable () -> Int = {
            let number = begun.withLock { begun -> Int in
                begun += 1
                return begun
            }
            answer.wait()
            return number
        }
        for _ in 0..<3 {
            let found = await thread.run(keeping: late, job)
            #expect(found == nil)
        }
        answer.signal()
        var found: Int?
        while found == nil {
            await Task.yield()
            found = await thread.run(keeping: late, job)
        }
        #expect(found == 1)
        #expect(begun.withLock { $0 } == 1)
        #expect(late.withLock { $0 == nil })
    }
    @Test func whatIsFoundInTimeIsAnsweredOnce() async {
        let thread = Self.thread(.seconds(600))
        let late = Lock<Int?>(nil)
        for number in 0..<20 {
            let found = await thread.run(keeping: late) { number }
            #expect(found == number)
        }
    }
    @Test func whoIsCancelledDoesNotWait() async {
        let thread = Self.thread(.seconds(600))
        let (answer, begun) = (DispatchSemaphore(value: 0), AsyncStream.makeStream(of: Void.self))
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                let cut = await thread.run { () -> Bool in
                    begun.continuation.yield()
                    answer.wait()
                    return true
                }
                return cut == nil
            }
            for await _ in begun.stream { break }
            group.cancelAll()
            #expect(await group.next() == true)
        }
        answer.signal()
        let next = await thread.run { true }
        #expect(next == true)
    }
    @Test func whereTimeIsATestsTheWorkIsDoneAtOnce() throws {
        try World.run { world in
            let thread = FileThread(NodeHarness(world.clock).context, "a file")
            try require(await thread.run { 7 } == 7, "it was not done")
        }
    }
}
