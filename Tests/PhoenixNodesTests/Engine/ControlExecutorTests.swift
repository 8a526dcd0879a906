import Dispatch
import NIOCore
import Synchronization
import Testing

@testable import PhoenixNodes

@Suite struct ControlExecutorTests {
    private final class Board: Sendable {
        let spinning = Atomic(0)
        let isAnswered = Atomic(false)
    }

    @Test func whatCommandsIsAnsweredWhileAllThreadsOfThePoolAreBusy() async {
        let (board, control) = (Board(), ControlExecutor("test"))
        let deadline = DispatchTime.now() + .seconds(30)
        await withDiscardingTaskGroup { group in
            // As many as the pool can run at once, of which none ends before it was answered, or gives its thread back.
            for _ in 0..<System.coreCount {
                group.addTask {
                    board.spinning.add(1, ordering: .relaxed)
                    while !board.isAnswered.load(ordering: .relaxed), DispatchTime.now() < deadline {}
                }
            }
            group.addTask(executorPreference: control) {
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
}
