import Dispatch

/// A thread of its own for what commands: the supervisor, the admin API, health.
///
/// The pool that nodes share has as many threads as there are cores, whatever the priority of a task: a command that needs
/// twenty turns there waits twenty times behind batches. Here the kernel shares the cores.
final class ControlExecutor: TaskExecutor {
    private let queue: DispatchQueue
    init(_ name: String) { queue = DispatchQueue(label: name) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
