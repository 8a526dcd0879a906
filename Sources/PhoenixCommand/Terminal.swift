import ArgumentParser

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The two streams of the program: answers on the first, everything else on the second.
///
/// Both wait for who reads, as those of other programs do. What runs for long must not: it writes through a `LogWriter`.
enum Terminal {
    /// Writes an answer, a line. Where it cannot be written that is told on standard error, and the command ends.
    static func say(_ text: String) throws(ExitCode) {
        guard let code = write(text + "\n", to: STDOUT_FILENO) else { return }
        // The reader has what it wanted, as `head` has.
        if code == EPIPE { throw Outcome.readerLeft }
        let reason = code == EBADF ? "it is closed" : String(cString: strerror(code))
        note("cannot write to standard output: \(reason); send it to a file with room, a pipe or /dev/null")
        throw Outcome.notStarted.exitCode
    }
    /// Writes what is no answer, a line: errors.
    static func note(_ text: String) {
        // Nobody is left to tell of a failure.
        _ = write(text + "\n", to: STDERR_FILENO)
    }

    /// Writes all of it at once, unbuffered, so that lines of several threads do not mix. Answers why it could not be
    /// written, as the system numbers it; nil where it was.
    static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                #if canImport(Glibc)
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                #else
                let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
                #endif
                if count < 0 {
                    let code = errno
                    if code == EINTR { continue }
                    guard code == EAGAIN else { return code }
                    // Whoever shares the stream has set it so that a write does not wait.
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&waiting, 1, -1)
                    continue
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return nil
        }
    }

    /// Puts something in the place of streams that were closed, where every write fails: what the program opens next, a
    /// connection or a file, would get their numbers and the text with them.
    static func occupyClosedStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
