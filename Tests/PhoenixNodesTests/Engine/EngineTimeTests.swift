import Dispatch
import NIOCore
import PhoenixModel
import Synchronization
import Testing

@testable import PhoenixNodes

/// Deadlines of what commands, where every thread of the pool is held.
@Suite(.timeLimit(.minutes(10))) struct EngineTimeTests {
    private final class Board: Sendable {
        let spinning = Atomic(0)
        let isDue = Atomic(false)
    }

    @Test func aDeadlineIsKeptWhileAllThreadsOfThePoolAreBusy() async {
        let (board, commands) = (Board(), CommandExecutor())
        let deadline = DispatchTime.now() + .seconds(300)
        await withDiscardingTaskGroup { group in
            group.addTask(executorPreference: commands) {
                // Until the pool is held.
                while board.spinning.load(ordering: .relaxed) < System.coreCount,
                    DispatchTime.now() < deadline
                {}
                let isOver = (try? await EngineTime().sleep(for: .milliseconds(10))) != nil
                board.isDue.store(isOver, ordering: .relaxed)
            }
            for _ in 0..<System.coreCount {
                group.addTask {
                    board.spinning.add(1, ordering: .relaxed)
                    while !board.isDue.load(ordering: .relaxed), DispatchTime.now() < deadline {}
                }
            }
        }
        #expect(board.isDue.load(ordering: .relaxed) && DispatchTime.now() < deadline)
    }
    @Test(arguments: [true, false]) func aSleepIsCutShortByCancellation(isBesidePool: Bool) async {
        let executor: (any TaskExecutor)? = isBesidePool ? CommandExecutor() : nil
        await withTaskGroup(of: Bool.self) { group in
            group.addTask(executorPreference: executor) {
                do { try await EngineTime().sleep(for: .seconds(86_400)) } catch {
                    return error is CancellationError
                }
                return false
            }
            group.cancelAll()
            #expect(await group.next() == true)
        }
    }
}
