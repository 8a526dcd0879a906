import Foundation

/// Why a file could not be read, in words.
public struct UnreadableFile: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
    /// What to do, where it is something else than to let the file be there and be read.
    public var mend: String?
    public init(_ reason: String, mend: String? = nil) { (description, self.mend) = (reason, mend) }

    /// What the system says of a file that it does not open or read.
    init(code: Int32) {
        switch code {
        case ENOENT, ENOTDIR: self.init("there is no such file")
        case EISDIR: self.init("it is a directory")
        case EACCES, EPERM: self.init("this user may not read it")
        case EMFILE, ENFILE: self.init("no file descriptors are left", mend: "raise the limit (ulimit -n)")
        default: self.init("the system says: \(String(cString: strerror(code)))")
        }
    }

    /// Whether what is there can be read once only, or not at all: a pipe, a socket, a device, a directory.
    static func isReadOnce(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT != S_IFREG
    }

    /// Reads a file of the disk, up to a little more than a graph may be long. One that is a pipe, such as `/dev/stdin`, is
    /// waited for.
    public static let read: @Sendable (String) throws -> [UInt8] = { try contents(of: $0, waits: true) }

    /// The same without waiting, for a process that has other things to do: a pipe, which is empty when it is read again, is
    /// refused.
    public static let readAgain: @Sendable (String) throws -> [UInt8] = { try contents(of: $0, waits: false) }

    private static func contents(of path: String, waits: Bool) throws -> [UInt8] {
        // To open a pipe waits for its writer, unless it is told not to.
        var file = open(path, O_RDONLY | O_CLOEXEC | (waits ? 0 : O_NONBLOCK))
        // Another has a lease on it, as file servers take, and gives it back: the kernel sees to that.
        if file < 0, errno == EWOULDBLOCK, !isReadOnce(path) { file = open(path, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw UnreadableFile(code: errno) }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0 else { throw UnreadableFile(code: errno) }
        guard waits || info.st_mode & S_IFMT != S_IFIFO else {
            throw UnreadableFile(
                "it is a pipe, which can be read once only",
                mend: "put a file in its place: what runs reads it again"
            )
        }
        var (bytes, chunk): ([UInt8], [UInt8]) = ([], Array(repeating: 0, count: 64 << 10))
        while bytes.count <= YAMLTree.mostBytes {
            let count = chunk.withUnsafeMutableBytes { Foundation.read(file, $0.baseAddress, $0.count) }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw UnreadableFile(code: errno)
            }
            bytes += chunk[..<count]
        }
        return bytes
    }
}
