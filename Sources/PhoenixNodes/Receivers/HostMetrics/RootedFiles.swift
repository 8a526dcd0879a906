#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The files of the host that is mounted at `root`.
struct RootedFiles: HostFiles {
    /// Without a slash at its end; empty for this host.
    let root: String

    init(root: String) {
        var root = root
        while root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    func contents(_ path: String, limit: Int, isCut: Bool) throws(HostFileFailure) -> [UInt8] {
        // Without waiting, should it be a pipe.
        let file = open(root + path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw HostFileFailure(errno) }
        defer { close(file) }
        var (result, chunk): ([UInt8], [UInt8]) = ([], Array(repeating: 0, count: min(limit + 1, 16_384)))
        while result.count <= limit {
            let count = chunk.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count == 0 { return result }
            if count < 0 {
                if errno == EINTR { continue }
                throw HostFileFailure(errno)
            }
            result += chunk[..<count]
        }
        guard isCut else { throw .tooLarge }
        return Array(result[..<limit])
    }

    func names(in directory: String, limit: Int) throws(HostFileFailure) -> [String] {
        var names: [String] = []
        try visit(directory, limit: limit) { names.append($0) }
        return names
    }
    func count(in directory: String, limit: Int) throws(HostFileFailure) -> Int {
        var count = 0
        try visit(directory, limit: limit) { _ in count += 1 }
        return count
    }
    private func visit(
        _ directory: String,
        limit: Int,
        _ body: (String) -> Void
    ) throws(HostFileFailure) {
        guard let stream = opendir(root + directory) else { throw HostFileFailure(errno) }
        defer { closedir(stream) }
        var count = 0
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw HostFileFailure(errno) }
                return
            }
            // An entry is as long as its name: to copy the whole struct could read past the end of the buffer.
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = String(cString: UnsafeRawPointer(entry).assumingMemoryBound(to: CChar.self) + offset)
            if name == "." || name == ".." { continue }
            count += 1
            if count > limit { throw .tooLarge }
            body(name)
        }
    }

    func target(ofLink path: String) throws(HostFileFailure) -> String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(root + path, &bytes, bytes.count)
        guard count >= 0 else { throw HostFileFailure(errno) }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func space(at mountPoint: String) throws(HostFileFailure) -> FileSystemSpace {
        var figures = statvfs()
        guard statvfs(root + mountPoint, &figures) == 0 else { throw HostFileFailure(errno) }
        let size = UInt64(figures.f_frsize)
        func bytes(_ blocks: UInt64) -> UInt64 {
            let (bytes, overflows) = blocks.multipliedReportingOverflow(by: size)
            return overflows ? .max : bytes
        }
        return FileSystemSpace(
            total: bytes(UInt64(figures.f_blocks)),
            free: bytes(UInt64(figures.f_bfree)),
            available: bytes(UInt64(figures.f_bavail))
        )
    }
}

extension HostFileFailure {
    fileprivate init(_ code: Int32) {
        switch code {
        // A process that ends while one reads of it is "no such process".
        case ENOENT, ESRCH, ENOTDIR: self = .missing
        case EACCES, EPERM: self = .denied
        default: self = .failed
        }
    }
}
