import ArgumentParser

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How the program ends; the numbers are documented and never change.
enum Outcome: Int32 {
    case success = 0
    /// The graph, a check or an order was refused: what was asked for is wrong.
    case refused = 1
    /// The graph is right, but the world does not let it start: a port is taken, a file may not be read. Or a running
    /// Phoenix could not be reached, or the output not be written.
    case notStarted = 2
    /// A drain was cut off by its deadline or by a second signal, or the state could not be written at the end: something may
    /// be lost, and was named.
    case cutOff = 3

    var exitCode: ExitCode { ExitCode(rawValue) }

    /// Whoever read the output went away: nothing is said, and a shell sees what it sees of programs that SIGPIPE ended.
    static let readerLeft = ExitCode(128 + SIGPIPE)
}
