/// The files of a host, by their absolute paths: real ones below a root, or a test's.
protocol HostFiles: Sendable {
    /// All of a file; with `isCut` its first `limit` bytes, where there are more.
    func contents(_ path: String, limit: Int, isCut: Bool) throws(HostFileFailure) -> [UInt8]
    /// The names in a directory, in no order.
    func names(in directory: String, limit: Int) throws(HostFileFailure) -> [String]
    /// How many names there are.
    func count(in directory: String, limit: Int) throws(HostFileFailure) -> Int
    func target(ofLink path: String) throws(HostFileFailure) -> String
    func space(at mountPoint: String) throws(HostFileFailure) -> FileSystemSpace
}

/// Why something of a host could not be read.
enum HostFileFailure: String, Error, Hashable, CaseIterable {
    /// There is none, or no more: of a process, that it ended.
    case missing
    case denied
    /// Larger than what is read at most.
    case tooLarge = "too_large"
    /// Not written as the kernel writes it.
    case malformed
    case failed
}

/// How full a file system is, in bytes.
struct FileSystemSpace: Sendable, Equatable {
    var total: UInt64
    var free: UInt64
    /// Of what is free, what is not the superuser's alone.
    var available: UInt64
}

extension HostFiles {
    func text(_ path: String, limit: Int = 1 << 20) throws(HostFileFailure) -> KernelText {
        KernelText(try contents(path, limit: limit, isCut: false))
    }
    /// A file, read by one of the parsers.
    func parsed<Figures>(
        _ path: String,
        limit: Int = 1 << 20,
        _ parse: (KernelText) -> Figures?
    ) throws(HostFileFailure) -> Figures {
        guard let figures = parse(try text(path, limit: limit)) else { throw .malformed }
        return figures
    }
}
