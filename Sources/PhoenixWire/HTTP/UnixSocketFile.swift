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

        /// Throws `IOError` where it cannot be known.
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
            default: throw IOError(errnoCode: errno, reason: "connect")
            }
        }
    }

    /// Binds a new socket to a path, in place of one of this process or of one that nobody listens on; the descriptor is the
    /// caller's to close.
    ///
    /// Throws `IOError`, with `ENOTSOCK` for a file that is no socket and `EADDRINUSE` where another process listens.
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
