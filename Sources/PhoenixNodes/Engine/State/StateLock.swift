import PhoenixModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The place of a state, taken for this process until it is let go.
///
/// What is locked is a file, not its name: one that was removed, with its directory say, keeps nobody away any more. So it is
/// to be asked each time before something is written. Every call waits for the disk.
final class StateLock: Sendable {
    private let file: StateFile
    private let path: String
    private let handle: Lock<StateFile.Handle?>

    /// Throws `InUse` where another process has the place.
    init(_ file: StateFile) throws {
        (self.file, path) = (file, file.path + ".lock")
        handle = Lock(try Self.take(file))
    }
    /// Takes the place anew where its lock was removed; throws `Displaced` where another process was faster.
    func hold() throws {
        try handle.withLock { handle in
            guard let held = handle, !held.isAt(path) else { return }
            do { handle = try Self.take(file) } catch is StateFile.InUse {
                throw StateFile.Displaced(path: file.path)
            }
        }
    }
    func letGo() { handle.withLock { $0 = nil } }

    private static func take(_ file: StateFile) throws -> StateFile.Handle {
        let path = file.path + ".lock"
        // What was opened may be removed before it is locked; who does that for ever is not waited for.
        for _ in 0..<3 {
            let handle: StateFile.Handle
            do {
                handle = try StateFile.Handle(path, O_RDWR | O_CREAT, "open")
            } catch let cause as StateFile.Failure {
                throw StateFile.NoPlace(cause: cause)
            }
            guard flock(handle.descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw errno == EWOULDBLOCK
                    ? StateFile.InUse(path: file.path)
                    : StateFile.Failure(what: "lock", path: path, code: errno) as any Error
            }
            if handle.isAt(path) { return handle }
        }
        throw StateFile.Failure(what: "lock", path: path, code: EAGAIN)
    }
}
