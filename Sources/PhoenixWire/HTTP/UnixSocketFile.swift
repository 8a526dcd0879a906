import Glibc
import NIOCore

/// The file that a unix socket made when it was bound: only its own socket takes it away.
///
/// Whoever binds the path anew, a newer server of this process or another process, has the name from then on.
struct UnixSocketFile: Sendable {
    let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Whether the path still leads to the socket.
    var isOwn: Bool {
        var found = stat()
        return lstat(path, &found) == 0 && found.st_dev == device && found.st_ino == inode
    }
    /// Removes the file where it is still the socket's own. To be called before the socket closes: after that another file may
    /// have got its inode.
    func remove() { if isOwn { unlink(path) } }

    /// Who takes connections at the path of a unix socket.
    enum Holder {
        /// The file is what a process left behind that has ended.
        case nobody
        case thisProcess
        case another

        /// Throws `IOError` where it cannot be known, with `EEXIST` where it is a socket of another user.
        init(of address: SocketAddress) throws {
            let descriptor = try UnixSocketFile.makeSocket(CInt(SOCK_NONBLOCK.rawValue))
            defer { close(descriptor) }
            let isConnected = address.withSockAddr { address, size in
                connect(descriptor, address, socklen_t(size)) == 0
            }
            if isConnected {
                // The process, the user and the group that called `listen`: `ucred`, which Swift does not see.
                var peer: [CInt] = [0, 0, 0]
                var size = socklen_t(peer.count * MemoryLayout<CInt>.size)
                let isKnown = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
                self = isKnown && peer[0] == getpid() ? .thisProcess : .another
                return
            }
            switch errno {
            case ECONNREFUSED, ENOENT: self = .nobody
            // It listens, and has no room now; or it is a socket of another kind, and in use.
            case EAGAIN, EPROTOTYPE: self = .another
            // Another user's: the kernel looks whether one may write there before it looks for who listens.
            case EACCES:
                guard let path = address.pathname, let list = UnixSocketFile.kernelList(),
                    let isBound = UnixSocketFile.isBound(path, in: list)
                else { throw IOError(errnoCode: EEXIST, reason: "connect") }
                self = isBound ? .another : .nobody
            default: throw IOError(errnoCode: errno, reason: "connect")
            }
        }
    }

    /// Binds a new socket to a path, in place of one of this process or of one that nobody listens on; the descriptor is the
    /// caller's to close.
    ///
    /// Throws `IOError`, with `ENOTSOCK` for a file that is no socket, `EADDRINUSE` where another process listens, and
    /// `EEXIST` where it cannot be told whether another user's does.
    static func bind(_ path: String) throws -> (descriptor: CInt, file: Self) {
        let address = try SocketAddress(unixDomainSocketPath: path)
        var found = stat()
        if stat(path, &found) == 0 {
            guard found.st_mode & S_IFMT == S_IFSOCK else {
                throw IOError(errnoCode: ENOTSOCK, reason: "bind")
            }
            // Who has connected there would stay, and who comes would find us: neither would know.
            guard try Holder(of: address) != .another else {
                throw IOError(errnoCode: EADDRINUSE, reason: "bind")
            }
            guard unlink(path) == 0 || errno == ENOENT else {
                throw IOError(errnoCode: errno, reason: "unlink")
            }
        }
        let descriptor = try makeSocket()
        let isBound = address.withSockAddr { address, size in
            Glibc.bind(descriptor, address, socklen_t(size)) == 0
        }
        guard isBound, lstat(path, &found) == 0 else {
            let error = IOError(errnoCode: errno, reason: "bind")
            close(descriptor)
            throw error
        }
        return (descriptor, Self(path: path, device: found.st_dev, inode: found.st_ino))
    }

    /// Whether the kernel's list has a path (proc_net(5): it is behind the seventh column); nil where a socket of that name
    /// has been bound by another way to write a path, which may lead to the same file.
    static func isBound(_ path: String, in list: String) -> Bool? {
        let name = path.split(separator: "/").last
        var hasNamesake = false
        for line in list.split(separator: "\n") {
            let columns = line.split(separator: " ", maxSplits: 7)
            guard columns.count == 8, let bound = columns.last else { continue }
            if bound == path { return true }
            // One that begins so is no file.
            if !bound.hasPrefix("@"), bound.split(separator: "/").last == name { hasNamesake = true }
        }
        return hasNamesake ? nil : false
    }
    /// All unix sockets of the process's network namespace; nil where they cannot be read, or are too many.
    private static func kernelList() -> String? {
        let file = open("/proc/net/unix", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var list: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while list.count < 16 << 20 {
            let count = part.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? String(decoding: list, as: UTF8.self) : nil }
            list += part.prefix(count)
        }
        return nil
    }

    private static func makeSocket(_ flags: CInt = 0) throws -> CInt {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | flags
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        return descriptor
    }
}

/// A socket that takes connections, with the file by which it is found where it is a unix socket.
struct AcceptingSocket: Sendable {
    let channel: any Channel
    var file: UnixSocketFile?

    /// Whether who connects to its address comes to it.
    var canBeReached: Bool { channel.isActive && file?.isOwn ?? true }
}
