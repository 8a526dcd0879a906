#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The two streams of the program: answers on the first, everything else on the second.
enum Terminal {
    /// Writes an answer, a line.
    static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    /// Writes what is no answer, a line: errors and logs.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Writes all of it at once, unbuffered, so that lines of several threads do not mix. A stream that nobody reads is
    /// no reason to stop.
    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                #if canImport(Glibc)
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                #else
                let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
                #endif
                if count < 0 {
                    if errno == EINTR { continue }
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
