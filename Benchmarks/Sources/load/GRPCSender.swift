import Glibc

/// Calls on one HTTP/2 connection, framed by hand: the loader shares no code with what it measures.
final class GRPCSender: Sender {
    private let connection: Connection
    private var nextStream: UInt32 = 1
    private var window = 65_535
    private var initialWindow = 65_535
    private var streamWindows: [UInt32: Int] = [:]
    private var open = 0
    private var input: [UInt8] = []
    /// Bytes of answers that the server may send again.
    private var consumed = 0

    init(port: UInt16) throws {
        connection = try Connection(port: port)
        try connection.write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, 0, 0, []))
        connection.isEager = true
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
            if type == 0 { consumed += count }
            if consumed > 16_384 {
                let increment = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: consumed >> $0) }
                try connection.write(Self.frame(8, 0, 0, increment))
                consumed = 0
            }
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
