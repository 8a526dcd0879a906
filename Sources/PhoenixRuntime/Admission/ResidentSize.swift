#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How much memory the process really holds, as the kernel counts it.
enum ResidentSize {
    /// The resident bytes; nil where `/proc` does not tell.
    static var bytes: Int? {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(file, &text, text.count)
        guard count > 0 else { return nil }
        // The second number is the resident set, in pages.
        let fields = text[..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else {
            return nil
        }
        return pages * Int(getpagesize())
    }
}
