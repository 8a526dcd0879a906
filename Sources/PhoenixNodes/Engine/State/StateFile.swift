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
    var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// An open file, closed when it is let go. What is made is its owner's only: names of series tell of people.
    final class Handle: Sendable {
        private let path: String
        let descriptor: Int32
        init(_ path: String, _ flags: Int32, _ what: String) throws {
            self.path = path
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

        /// Whether the path leads to this very file still.
        func isAt(_ path: String) -> Bool {
            var (own, there) = (stat(), stat())
            guard fstat(descriptor, &own) == 0, stat(path, &there) == 0 else { return false }
            return own.st_dev == there.st_dev && own.st_ino == there.st_ino
        }
        func append(_ bytes: UnsafeRawBufferPointer) throws {
            var rest = bytes
            while let base = rest.baseAddress, !rest.isEmpty {
                let count = write(descriptor, base, rest.count)
                guard count >= 0 || errno == EINTR else {
                    throw Failure(what: "write", path: path, code: errno)
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[max(0, count)...])
            }
        }
        func bringToDisk() throws {
            guard fsync(descriptor) == 0 else { throw Failure(what: "write", path: path, code: errno) }
        }
    }

    /// What is to take the place of a file.
    struct Draft: Sendable {
        fileprivate let file: StateFile
        fileprivate let target: StateFile
        fileprivate let handle: Handle
        func append(_ bytes: UnsafeRawBufferPointer) throws { try handle.append(bytes) }
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
    /// The user to whom it belongs; nil where there is none.
    var owner: UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_uid : nil
    }
    /// Throws where something else is there than a file, which is never moved away.
    func check() throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        throw NoFile(path: path, isDirectory: status.st_mode & S_IFMT == S_IFDIR)
    }

    /// The file itself where the path is a link, or where it is to be: a link stays, and what is written goes there.
    var target: Self {
        var target = self
        // The system follows no more of them either.
        for _ in 0..<40 {
            guard let link = target.link else { break }
            target = Self(path: link.hasPrefix("/") ? link : "\(target.directory)/\(link)")
        }
        return target
    }
    private var link: String? {
        let room = Int(PATH_MAX)
        var bytes = [CChar](repeating: 0, count: room)
        let count = readlink(path, &bytes, room)
        return count < 0
            ? nil : String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    /// What is written before it is whole.
    private var draft: Self { Self(path: path + ".new") }

    /// To open a file that is to be written from its beginning.
    static var anew: Int32 { O_WRONLY | O_CREAT | O_TRUNC }
    func makeDraft() throws -> Draft {
        let target = target
        try target.check()
        // Whoever still has the one before open does not write to this one.
        try target.draft.remove()
        let handle = try Handle(target.draft.path, Self.anew | O_EXCL, "write")
        return Draft(file: target.draft, target: target, handle: handle)
    }
    /// Puts the draft in the place of what was there, unless `check` throws, which is asked last.
    func commit(_ draft: Draft, _ check: () throws -> Void) throws {
        try draft.handle.bringToDisk()
        try check()
        // A link was made meanwhile: the next draft follows it.
        guard draft.target.link == nil else {
            throw Failure(what: "replace", path: draft.target.path, code: EAGAIN)
        }
        guard rename(draft.file.path, draft.target.path) == 0 else {
            throw Failure(what: "replace", path: draft.target.path, code: errno)
        }
        let directory = try Handle(draft.target.directory, O_RDONLY, "open")
        // Some file systems do not know how to; the file is whole either way.
        guard fsync(directory.descriptor) == 0 || errno == EINVAL else {
            throw Failure(what: "write", path: draft.target.directory, code: errno)
        }
    }
    /// Writes over the bytes that it begins with; false where it begins otherwise.
    ///
    /// For a few, which lie in one page and one sector: who is killed meanwhile leaves these or those.
    func replaceStart(_ old: [UInt8], by new: [UInt8]) throws -> Bool {
        guard old.count == new.count else { return false }
        let handle = try Handle(path, O_RDWR, "write")
        var found = [UInt8](repeating: 0, count: old.count)
        guard pread(handle.descriptor, &found, old.count, 0) == old.count, found == old else { return false }
        guard pwrite(handle.descriptor, new, new.count, 0) == new.count else {
            throw Failure(what: "write", path: path, code: errno)
        }
        try handle.bringToDisk()
        return true
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
    func discardDraft() throws { try target.draft.remove() }
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
