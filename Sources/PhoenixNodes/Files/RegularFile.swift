import PhoenixGraph

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file of the disk: a pipe, a device or a directory in its place is refused, and nothing is read of it.
///
/// Who opened a pipe that nobody writes to would wait for ever.
enum RegularFile {
    /// All of a file of `limit` bytes at most. The disk may take its time, or never answer: see `FileThread`.
    static func contents(of path: String, limit: Int) throws(UnreadableFile) -> [UInt8] {
        let file = try opened(path)
        defer { close(file) }
        var (result, chunk) = ([UInt8](), [UInt8](repeating: 0, count: min(limit + 1, 16_384)))
        while result.count <= limit {
            let count = chunk.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count == 0 { return result }
            if count > 0 {
                result += chunk[..<count]
            } else if errno != EINTR {
                throw unreadable(errno)
            }
        }
        throw UnreadableFile("it is longer than \(limit) bytes")
    }

    private static func opened(_ path: String) throws(UnreadableFile) -> Int32 {
        var info = stat()
        // Before it is opened too: that alone would let the writer of a pipe go on.
        guard stat(path, &info) == 0 else { throw unreadable(errno) }
        try check(info.st_mode)
        var file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        // Another process holds a lease on the file (fcntl(2)) and was told to let go: that is waited for.
        if file < 0, errno == EAGAIN { file = open(path, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw unreadable(errno) }
        guard fstat(file, &info) == 0 else {
            let code = errno
            close(file)
            throw unreadable(code)
        }
        do throws(UnreadableFile) { try check(info.st_mode) } catch {
            close(file)
            throw error
        }
        return file
    }
    private static func check(_ mode: mode_t) throws(UnreadableFile) {
        guard let kind = Self.kind(mode) else { return }
        throw UnreadableFile("it is \(kind), where a regular file is meant: put one in its place")
    }
    /// What it is, where it is no regular file.
    static func kind(_ mode: mode_t) -> String? {
        switch mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "a directory"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }
    private static func unreadable(_ code: Int32) -> UnreadableFile {
        switch code {
        case ENOENT, ENOTDIR: UnreadableFile("there is no such file")
        case EACCES, EPERM: UnreadableFile("this user may not read it")
        default: UnreadableFile(String(cString: strerror(code)))
        }
    }
}
