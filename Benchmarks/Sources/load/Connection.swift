import Glibc

struct LoadError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A TCP connection to this machine; enough for a loader and a plain reader.
final class Connection {
    private let descriptor: Int32
    /// Whether to look again and again instead of sleeping: the loader has a core of its own, and to wake a sleeper
    /// would be charged to the server, whose peers are on other machines as a rule.
    var isEager = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    private(set) var pending: [UInt8] = []

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            throw LoadError("cannot connect to 127.0.0.1:\(port): \(String(cString: strerror(errno)))")
        }
    }
    deinit { Glibc.close(descriptor) }

    func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + offset, bytes.count - offset)
            }
            guard count > 0 else { throw LoadError("cannot write: \(String(cString: strerror(errno)))") }
            offset += count
        }
    }
    /// Reads what there is, at least one byte; nil at the end.
    func read() throws -> ArraySlice<UInt8>? {
        let count = try readSome()
        return count == 0 ? nil : buffer[..<count]
    }
    private func readSome() throws -> Int {
        while true {
            let flags = isEager ? Int32(MSG_DONTWAIT) : 0
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, flags) }
            if count >= 0 { return count }
            if isEager, errno == EAGAIN { continue }
            if errno != EINTR { throw LoadError("cannot read: \(String(cString: strerror(errno)))") }
        }
    }
    /// Reads into the connection's own buffer and counts only: the plain reader that times a scrape.
    func drain(_ each: (UnsafeRawBufferPointer) -> Void) throws -> Int {
        var total = 0
        while true {
            let count = try readSome()
            if count == 0 { return total }
            buffer.withUnsafeBytes { each(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            total += count
        }
    }
}
