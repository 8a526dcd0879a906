import PhoenixModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that is there whole or as it was before: written beside, brought to disk, then put in its place.
///
/// Every call waits for the disk: for threads that may.
struct StateFile: Sendable {
    let path: String
    private var draft: String { path + ".new" }
    var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Why the system would not.
    struct Failure: Error, CustomStringConvertible {
        let what: String
        let path: String
        let code: Int32
        var description: String { "cannot \(what) `\(path)`: \(String(cString: strerror(code)))" }
    }

    /// The path is not one of a file.
    struct NoFile: Error, CustomStringConvertible {
        let path: String
        var description: String {
            "`\(path)` is a directory; name a file in it as `path` in `state`, like `\(path)/state`"
        }
    }

    /// Nothing can be made where the path says.
    struct NoPlace: Error, CustomStringConvertible {
        let cause: Failure
        var description: String {
            "\(cause); make its directory and let the process write there, or name another `path` in `state`"
        }
    }

    /// Another process has the path.
    struct InUse: Error, CustomStringConvertible {
        let path: String
        var description: String {
            "another process keeps its state in `\(path)`; give each process a `path` of its own in `state`"
        }
    }

    /// An open file, closed when it is let go. What is made is its owner's only: names of series tell of people.
    final class Handle: Sendable {
        let descriptor: Int32
        init(_ path: String, _ flags: Int32, _ what: String) throws {
            descriptor = open(path, flags | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Failure(what: what, path: path, code: errno) }
            // One that was there may have been left open to others.
            guard flags & O_CREAT == 0 || fchmod(descriptor, 0o600) == 0 else {
                let code = errno
                close(descriptor)
                throw Failure(what: what, path: path, code: code)
            }
        }
        deinit { close(descriptor) }
    }

    /// Whether there is one.
    var exists: Bool { access(path, F_OK) == 0 }
    /// When it was last written to, since 1970; zero where it is not to be had.
    var changedAt: Duration {
        var status = stat()
        guard stat(path, &status) == 0 else { return .zero }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    private var isDirectory: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
    /// Takes the path for this process, for as long as the handle is held.
    func lock() throws -> Handle {
        guard !isDirectory else { throw NoFile(path: path) }
        let handle: Handle
        do { handle = try Handle(path + ".lock", O_RDWR | O_CREAT, "open") } catch let cause as Failure {
            throw NoPlace(cause: cause)
        }
        guard flock(handle.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw errno == EWOULDBLOCK
                ? InUse(path: path) : Failure(what: "lock", path: path + ".lock", code: errno) as any Error
        }
        return handle
    }
    /// To open a file that is to be written from its beginning.
    static var anew: Int32 { O_WRONLY | O_CREAT | O_TRUNC }
    func makeDraft() throws -> Handle { try Handle(draft, Self.anew, "write") }
    func append(_ bytes: UnsafeRawBufferPointer, to draft: Handle) throws {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let count = write(draft.descriptor, base, rest.count)
            guard count >= 0 || errno == EINTR else {
                throw Failure(what: "write", path: self.draft, code: errno)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[max(0, count)...])
        }
    }
    /// Puts the draft in the place of what was there.
    func commit(_ draft: Handle) throws {
        guard fsync(draft.descriptor) == 0 else {
            throw Failure(what: "write", path: self.draft, code: errno)
        }
        guard rename(self.draft, path) == 0 else { throw Failure(what: "replace", path: path, code: errno) }
        let directory = try Handle(directory, O_RDONLY, "open")
        // Some file systems do not know how to; the file is whole either way.
        guard fsync(directory.descriptor) == 0 || errno == EINVAL else {
            throw Failure(what: "write", path: self.directory, code: errno)
        }
    }
    /// What is there, in pieces of the sizes asked for.
    func source() throws -> StateReader.Source {
        let handle = try Handle(path, O_RDONLY, "read")
        let path = path
        var (buffer, position): ([UInt8], Int) = ([], 0)
        return { wanted in
            while buffer.count - position < wanted {
                if position > 0 { (buffer, position) = (Array(buffer[position...]), 0) }
                let room = max(wanted, 1 << 16)
                let piece = try [UInt8](unsafeUninitializedCapacity: room) { bytes, count in
                    var got: Int
                    // Interrupted is not at the end.
                    repeat {
                        got = read(handle.descriptor, bytes.baseAddress, room)
                    } while got < 0 && errno == EINTR
                    guard got >= 0 else { throw Failure(what: "read", path: path, code: errno) }
                    count = got
                }
                if piece.isEmpty { break }
                buffer += piece
            }
            let end = min(position + wanted, buffer.count)
            defer { position = end }
            return Array(buffer[position..<end])
        }
    }
    /// Gives the room of a draft back that does not come to its end.
    func discardDraft() throws { try StateFile(path: draft).remove() }
    func remove() throws {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw Failure(what: "remove", path: path, code: errno)
        }
    }
    func move(to other: Self) throws {
        guard rename(path, other.path) == 0 else {
            throw Failure(what: "set aside", path: path, code: errno)
        }
    }
}
