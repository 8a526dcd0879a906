import PhoenixModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What tells one content of a file from another without reading it, and whether it may be read; also of one that is missing.
struct FileSignature: Equatable, Sendable {
    private var size: Int64?
    private var inode: UInt64?
    private var permissions: UInt32?
    private var modified: Duration?
    /// Of what is told of the file: who may read it, for one.
    private var changed: Duration?

    init(_ path: String) {
        var status = stat()
        // Of the file that a link leads to: orchestrators swap links.
        guard stat(path, &status) == 0 else { return }
        size = Int64(status.st_size)
        inode = UInt64(status.st_ino)
        permissions = UInt32(status.st_mode)
        #if canImport(Darwin)
        (modified, changed) = (Self.time(status.st_mtimespec), Self.time(status.st_ctimespec))
        #else
        (modified, changed) = (Self.time(status.st_mtim), Self.time(status.st_ctim))
        #endif
    }
    private static func time(_ time: timespec) -> Duration {
        .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    static func all(_ paths: [String]) -> [String: FileSignature] {
        [String: FileSignature](paths.map { ($0, FileSignature($0)) }) { first, _ in first }
    }
}

/// What files were like when they were read.
final class SignatureLog: Sendable {
    private let noted = Lock([String: FileSignature]())
    var signatures: [String: FileSignature] { noted.withLock { $0 } }

    /// Reads as `readFile` does; what changes while it reads has the signature of before, and counts as changed.
    func noting(
        _ readFile: @escaping @Sendable (String) throws -> [UInt8]
    ) -> @Sendable (String) throws -> [UInt8] {
        { path in
            let signature = FileSignature(path)
            self.noted.withLock { noted in
                if noted[path] == nil { noted[path] = signature }
            }
            return try readFile(path)
        }
    }
}
