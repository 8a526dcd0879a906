import Foundation
import PhoenixModel

/// Writes lines on a thread of its own, so that nobody who logs waits for whoever reads the log.
///
/// Lines that wait are bounded in number and bytes; what does not fit, or cannot be written, is dropped and counted, and
/// once lines are written again one says how many.
final class LogWriter: Sendable {
    private let backlog: Lock<LogBacklog>
    /// A serial queue: its thread may wait for a reader without keeping one of the pool.
    private let thread = DispatchQueue(label: "phoenix.log")
    private let write: @Sendable (_ line: String) -> Bool
    private let report: @Sendable (_ dropped: Int) -> String

    /// - Parameters:
    ///   - write: writes a line and answers whether it could; may wait.
    ///   - report: the line that says how many were dropped.
    init(
        limits: LogBacklog.Limits = .init(),
        write: @escaping @Sendable (_ line: String) -> Bool,
        report: @escaping @Sendable (_ dropped: Int) -> String
    ) {
        backlog = Lock(LogBacklog(limits))
        (self.write, self.report) = (write, report)
    }

    /// The lines that were dropped so far.
    var dropped: Int { backlog.withLock { $0.dropped } }

    /// Takes a line, and never waits.
    func put(_ line: String) {
        put(line, by: write)
    }
    /// Takes a line that is written in another way, in the same order.
    func put(_ line: String, by write: @escaping @Sendable (_ line: String) -> Bool) {
        let bytes = line.utf8.count
        guard backlog.withLock({ $0.admit(bytes) }) else { return }
        thread.async {
            let isWritten = write(line)
            let untold = self.backlog.withLock { $0.finish(bytes, isWritten: isWritten) }
            guard untold > 0, self.write(self.report(untold)) else { return }
            self.backlog.withLock { $0.told(untold) }
        }
    }

    /// Waits until what was put before is written, but no longer than this: for the end of the process.
    func flush(within deadline: DispatchTimeInterval = .seconds(1)) {
        let done = DispatchSemaphore(value: 0)
        thread.async { done.signal() }
        // Nobody reads: there is nobody to tell that either.
        _ = done.wait(timeout: .now() + deadline)
    }
}

/// What waits to be written, and what was dropped.
struct LogBacklog: Sendable {
    struct Limits: Sendable {
        var lines = 16_384
        var bytes = 8 << 20
    }
    private let limits: Limits
    private var lines = 0
    private var bytes = 0
    /// The lines dropped so far.
    private(set) var dropped = 0
    /// Of those, the ones that no line has told of.
    private var untold = 0

    init(_ limits: Limits) { self.limits = limits }

    /// Whether a line of so many bytes may wait; one that may not is dropped.
    mutating func admit(_ size: Int) -> Bool {
        guard lines < limits.lines, size <= limits.bytes - bytes else {
            drop()
            return false
        }
        lines += 1
        bytes += size
        return true
    }

    /// A line waits no more. Answers how many dropped ones are to be told of now: none while most of the room is taken, or
    /// every other line of a flood would tell of those between.
    mutating func finish(_ size: Int, isWritten: Bool) -> Int {
        lines -= 1
        bytes -= size
        guard isWritten else {
            drop()
            return 0
        }
        return lines <= limits.lines / 2 && bytes <= limits.bytes / 2 ? untold : 0
    }

    /// So many dropped lines were told of.
    mutating func told(_ count: Int) { untold -= count }

    private mutating func drop() {
        dropped += 1
        untold += 1
    }
}
