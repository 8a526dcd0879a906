import Dispatch
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import PhoenixNodes

@Suite struct CommandExecutorTests {
    private final class Board: Sendable {
        let spinning = Atomic(0)
        let isAnswered = Atomic(false)
    }

    @Test func whatCommandsIsAnsweredWhileAllThreadsOfThePoolAreBusy() async {
        let (board, commands) = (Board(), CommandExecutor())
        let deadline = DispatchTime.now() + .seconds(30)
        await withDiscardingTaskGroup { group in
            // As many as the pool can run at once, of which none ends before it was answered, or gives its thread back.
            for _ in 0..<System.coreCount {
                group.addTask {
                    board.spinning.add(1, ordering: .relaxed)
                    while !board.isAnswered.load(ordering: .relaxed), DispatchTime.now() < deadline {}
                }
            }
            group.addTask(executorPreference: commands) {
                while board.spinning.load(ordering: .relaxed) < System.coreCount,
                    DispatchTime.now() < deadline
                {}
                board.isAnswered.store(
                    board.spinning.load(ordering: .relaxed) == System.coreCount,
                    ordering: .relaxed
                )
            }
        }
        #expect(board.isAnswered.load(ordering: .relaxed) && DispatchTime.now() < deadline)
    }

    @Test func whatBlocksHoldsUpNoOtherCommand() async {
        let (board, commands) = (Board(), CommandExecutor())
        let deadline = DispatchTime.now() + .seconds(30)
        await withDiscardingTaskGroup { group in
            // More than there are cores.
            for _ in 0..<System.coreCount + 2 {
                group.addTask(executorPreference: commands) {
                    board.spinning.add(1, ordering: .relaxed)
                    while !board.isAnswered.load(ordering: .relaxed), DispatchTime.now() < deadline {
                        sched_yield()
                    }
                }
            }
            group.addTask(executorPreference: commands) {
                while board.spinning.load(ordering: .relaxed) < System.coreCount + 2,
                    DispatchTime.now() < deadline
                {
                    sched_yield()
                }
                board.isAnswered.store(true, ordering: .relaxed)
            }
        }
        #expect(
            board.spinning.load(ordering: .relaxed) == System.coreCount + 2 && DispatchTime.now() < deadline
        )
    }
}
