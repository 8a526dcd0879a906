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

    /// Binds a new socket to a path, in place of one that stands there; the descriptor is the caller's to close.
    ///
    /// Throws `IOError`, with `ENOTSOCK` for a file that is no socket.
    static func bind(_ path: String) throws -> (descriptor: CInt, file: Self) {
        let address = try SocketAddress(unixDomainSocketPath: path)
        var found = stat()
        if stat(path, &found) == 0 {
            guard found.st_mode & S_IFMT == S_IFSOCK else {
                throw IOError(errnoCode: ENOTSOCK, reason: "bind")
            }
            guard unlink(path) == 0 || errno == ENOENT else {
                throw IOError(errnoCode: errno, reason: "unlink")
            }
        }
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
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
}

/// A socket that takes connections, with the file by which it is found where it is a unix socket.
struct AcceptingSocket: Sendable {
    let channel: any Channel
    var file: UnixSocketFile?

    /// Whether who connects to its address comes to it.
    var canBeReached: Bool { channel.isActive && file?.isOwn ?? true }
}
