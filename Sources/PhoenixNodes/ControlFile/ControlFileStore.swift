import Foundation
import PhoenixGraph

/// The control file on the disk: read whole, replaced whole.
///
/// The calls wait for the disk, some milliseconds or for ever: they are made on a `FileThread`.
///
/// A link is followed at each call: the file that it names is the one that is read and replaced, and the link stays.
struct ControlFileStore: Sendable {
    /// What tells one state of the file from the next without reading it; nil for a file that is not there.
    struct Signature: Sendable, Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }
    /// What the disk says is wrong, and where.
    struct DiskError: Error, CustomStringConvertible {
        var description: String
        init(_ action: String, _ path: String, _ code: Int32, remedy: String = "") {
            description =
                "cannot \(action) \(path): \(String(cString: strerror(code)))"
                + (remedy.isEmpty ? "" : "; \(remedy)")
        }
    }
    /// More bytes than these are no control file.
    private static let mostBytes = 64 << 10
    /// Links that are followed to where a file is to be, at most.
    private static let mostLinks = 8

    let path: String
    var directory: String {
        let parent = (path as NSString).deletingLastPathComponent
        return parent.isEmpty ? "." : parent
    }
    var name: String { (path as NSString).lastPathComponent }

    var signature: Signature? {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        #if os(Linux)
        let modified = info.st_mtim
        #else
        let modified = info.st_mtimespec
        #endif
        return Signature(
            inode: UInt64(info.st_ino),
            size: Int64(info.st_size),
            seconds: Int(modified.tv_sec),
            nanoseconds: Int(modified.tv_nsec)
        )
    }

    /// The text; throws `UnreadableFile`.
    func read() throws -> String {
        let bytes = try RegularFile.contents(of: path, limit: Self.mostBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UnreadableFile("it is no UTF-8 text")
        }
        return text
    }

    /// Throws where the file can never be written, for its directory is not there.
    func checkDirectory() throws {
        var info = stat()
        guard stat(directory, &info) == 0 else {
            throw DiskError(
                "write",
                path,
                errno,
                remedy: "make the directory \(directory), or name another `path`"
            )
        }
        guard info.st_mode & S_IFMT == S_IFDIR else {
            throw DiskError("write", path, ENOTDIR, remedy: "name a `path` in a directory")
        }
    }

    /// Replaces the file: whoever reads sees the old one or the new one, also after the machine lost power.
    func write(_ text: String) throws {
        // To rename over a link would put a file in its place, and what follows it elsewhere would see nothing.
        let target = Self(path: try place)
        try target.checkKind()
        try target.replace(with: text)
    }
    /// Where the file is or is to be, links followed.
    private var place: String {
        get throws {
            var place = path
            for _ in 0..<Self.mostLinks {
                if let real = realpath(place, nil) {
                    defer { free(real) }
                    return String(cString: real)
                }
                // There is no file yet, or a link to where there is none yet.
                guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else {
                    return place
                }
                place = link.hasPrefix("/") ? link : Self(path: place).directory + "/" + link
            }
            throw DiskError("follow the link", path, ELOOP, remedy: "have it name a file")
        }
    }
    private func checkKind() throws {
        var info = stat()
        guard stat(path, &info) == 0, let kind = RegularFile.kind(info.st_mode) else { return }
        throw DiskError(
            "replace",
            path,
            EINVAL,
            remedy: "it is \(kind), where a regular file is meant: take it away, or name another `path`"
        )
    }
    private func replace(with text: String) throws {
        // One name for all writes: what a killed process left behind is written over by the next.
        let temporary = directory + "/." + name + ".tmp"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard file >= 0 else { throw DiskError("create", temporary, errno) }
        do {
            defer { close(file) }
            try writeAll(Array(text.utf8), to: file, temporary)
            guard fsync(file) == 0 else { throw DiskError("sync", temporary, errno) }
        }
        guard rename(temporary, path) == 0 else { throw DiskError("rename to", path, errno) }
        // The name is in the directory: it too must reach the disk.
        let parent = open(directory, O_RDONLY | O_CLOEXEC)
        guard parent >= 0 else { throw DiskError("open", directory, errno) }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw DiskError("sync", directory, errno) }
    }

    private func writeAll(_ bytes: [UInt8], to file: Int32, _ temporary: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw DiskError("write", temporary, errno) }
            rest = rest.dropFirst(count)
        }
    }
}
