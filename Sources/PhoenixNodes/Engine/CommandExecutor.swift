import Dispatch

/// Runs what commands: the supervisor, what it tells nodes, the admin API, health. Each step on a thread that is not of the pool.
///
/// The pool that nodes share has as many threads as there are cores, whatever the priority of a task: a command that needs
/// twenty turns there waits twenty times behind batches. Here the kernel shares the cores, and what takes long or blocks,
/// such as reading a graph file, holds up nothing else.
public final class CommandExecutor: TaskExecutor {
    public init() {}
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A serial queue has a thread beyond the pool as long as it has work; one for each job, so none waits for another.
        DispatchQueue(label: "phoenix.command").async {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
