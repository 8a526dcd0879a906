import Glibc

struct LoadError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A blocking TCP connection to this machine; enough for a loader and a plain reader.
final class Connection {
    private let descriptor: Int32
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
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
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

/// Requests on one kept-alive HTTP/1.1 connection.
final class HTTPSender {
    private let connection: Connection
    init(port: UInt16) throws { connection = try Connection(port: port) }

    func send(_ body: [UInt8]) throws {
        let head =
            "POST /v1/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        try connection.write(Array(head.utf8) + body)
    }
    /// Waits for the answer and requires that everything was taken.
    func finish() throws {
        var answer: [UInt8] = []
        while true {
            guard let more = try connection.read() else {
                throw LoadError("the server closed the connection")
            }
            answer += more
            let text = String(decoding: answer, as: UTF8.self)
            guard text.contains("\r\n\r\n") else { continue }
            guard text.hasPrefix("HTTP/1.1 200"), text.lowercased().contains("content-length: 0") else {
                throw LoadError("not taken: \(text)")
            }
            return
        }
    }
}

/// Calls on one HTTP/2 connection, framed by hand: the loader shares no code with what it measures.
final class GRPCSender {
    private let connection: Connection
    private var nextStream: UInt32 = 1
    private var window = 65_535
    private var initialWindow = 65_535
    private var streamWindows: [UInt32: Int] = [:]
    private var open = 0
    private var input: [UInt8] = []

    init(port: UInt16) throws {
        connection = try Connection(port: port)
        try connection.write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, 0, 0, []))
        while initialWindow == 65_535 { try receive() }
    }
    private static func frame(
        _ type: UInt8,
        _ flags: UInt8,
        _ stream: UInt32,
        _ payload: some Collection<UInt8>
    ) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
            + [UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255), UInt8(stream & 255)]
            + payload
    }
    private static let headers: [UInt8] = {
        func literal(_ prefix: [UInt8], _ value: String) -> [UInt8] {
            prefix + [UInt8(value.utf8.count)] + value.utf8
        }
        func field(_ name: String, _ value: String) -> [UInt8] {
            literal([0, UInt8(name.utf8.count)] + name.utf8, value)
        }
        return [0x83, 0x86]
            + literal([0x04], "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
            + literal([0x01], "127.0.0.1") + literal([0x0F, 0x10], "application/grpc")
            + field("te", "trailers")
    }()

    func send(_ body: [UInt8]) throws {
        let stream = nextStream
        nextStream += 2
        open += 1
        streamWindows[stream] = initialWindow
        try connection.write(Self.frame(1, 4, stream, Self.headers))
        let count = body.count
        let message =
            [0, UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
            + body
        var (offset, out) = (0, [UInt8]())
        while offset < message.count {
            let room = min(window, streamWindows[stream] ?? 0, 16_384)
            if room <= 0 {
                try connection.write(out)
                out.removeAll()
                try receive()
                continue
            }
            let end = min(offset + room, message.count)
            out += Self.frame(0, end == message.count ? 1 : 0, stream, message[offset..<end])
            window -= end - offset
            streamWindows[stream]! -= end - offset
            offset = end
        }
        try connection.write(out)
    }
    func finish() throws { while open > 0 { try receive() } }

    private func receive() throws {
        guard let more = try connection.read() else { throw LoadError("the server closed the connection") }
        input += more
        var position = 0
        while input.count - position >= 9 {
            let count = Int(input[position]) << 16 | Int(input[position + 1]) << 8 | Int(input[position + 2])
            guard input.count - position >= 9 + count else { break }
            let (type, flags) = (input[position + 3], input[position + 4])
            let stream = number(position + 5) & 0x7FFF_FFFF
            try take(type, flags, stream, position + 9, count)
            position += 9 + count
        }
        input.removeFirst(position)
    }
    private func number(_ position: Int) -> UInt32 {
        input[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    private func take(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ start: Int, _ count: Int) throws {
        switch type {
        case 0, 1:
            if flags & 1 != 0 {
                open -= 1
                streamWindows[stream] = nil
            }
        case 3: throw LoadError("stream \(stream) was reset with code \(number(start))")
        case 4 where flags & 1 == 0:
            for offset in stride(from: start, to: start + count, by: 6)
            where input[offset] == 0 && input[offset + 1] == 4 {
                let value = Int(number(offset + 2))
                for (id, window) in streamWindows { streamWindows[id] = window + value - initialWindow }
                initialWindow = value
            }
            try connection.write(Self.frame(4, 1, 0, []))
        case 6 where flags & 1 == 0: try connection.write(Self.frame(6, 1, 0, input[start..<start + count]))
        case 7: throw LoadError("the server sent GOAWAY")
        case 8:
            let increment = Int(number(start) & 0x7FFF_FFFF)
            if stream == 0 { window += increment } else { streamWindows[stream]? += increment }
        default: break
        }
    }
}
