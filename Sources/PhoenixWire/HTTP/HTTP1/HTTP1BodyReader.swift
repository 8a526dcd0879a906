import NIOCore

/// Collects one request body.
struct HTTP1BodyReader {
    private enum Kind {
        case length(Int)
        case chunked(ChunkedDecoder)
    }
    private var kind: Kind
    private var buffer: ByteBuffer?
    /// Body bytes thrown away.
    private(set) var skipped = 0

    init(_ framing: HTTP1Framing) {
        switch framing {
        case .none: kind = .length(0)
        case .length(let length): kind = .length(length)
        case .chunked: kind = .chunked(ChunkedDecoder())
        }
    }

    var isDone: Bool {
        switch kind {
        case .length(let left): left == 0
        case .chunked(let decoder): decoder.isDone
        }
    }

    /// The whole body, if it lies in `bytes` as it is: then it need not be copied.
    func whole(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard case .length(let length) = kind, buffer == nil, bytes.count >= length else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[..<length])
    }

    /// Takes what belongs to the body; nil if it is more than `limit`.
    mutating func collect(
        _ bytes: UnsafeRawBufferPointer,
        limit: Int,
        _ link: HTTPLink
    ) throws(HTTP1Error) -> Int? {
        var target = buffer ?? link.loop.takeBuffer(expecting: expected, link.context.channel.allocator)
        // Held once while it is written to.
        buffer = nil
        defer { buffer = target }
        switch kind {
        case .length(let left):
            let taken = min(left, bytes.count)
            target.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
            kind = .length(left - taken)
            return taken
        case .chunked(var decoder):
            var tooLarge = false
            let taken = try decoder.decode(bytes) { piece in
                if target.readableBytes + piece.count > limit { tooLarge = true }
                if !tooLarge { target.writeBytes(piece) }
            }
            kind = .chunked(decoder)
            return tooLarge ? nil : taken
        }
    }

    /// Throws away what belongs to the body.
    mutating func skip(_ bytes: UnsafeRawBufferPointer) throws(HTTP1Error) -> Int {
        switch kind {
        case .length(let left):
            let taken = min(left, bytes.count)
            kind = .length(left - taken)
            skipped += taken
            return taken
        case .chunked(var decoder):
            let taken = try decoder.decode(bytes) { _ in }
            kind = .chunked(decoder)
            skipped += taken
            return taken
        }
    }

    mutating func takeBuffer() -> ByteBuffer {
        defer { buffer = nil }
        return buffer ?? ByteBuffer()
    }

    private var expected: Int? {
        if case .length(let left) = kind { left } else { nil }
    }
}
