import CZlib

/// Why compressed bytes could not be taken.
public enum InflateError: Error, Equatable, CustomStringConvertible {
    /// They are not what they were said to be; zlib's words.
    case corrupt(String)
    /// They end in the middle.
    case truncated
    /// They grow over the limit in bytes. Nothing is known about the rest.
    case tooLarge(limit: Int)

    public var description: String {
        switch self {
        case .corrupt(let reason): "the compressed data is corrupt: \(reason)"
        case .truncated: "the compressed data ends too early"
        case .tooLarge(let limit): "the data is larger than the limit of \(limit) bytes once decompressed"
        }
    }
}

/// Decompresses whole bodies, over and over with the same memory.
///
/// For one thread at a time.
///
/// Checksums are checked. A gzip body may have several members (RFC 1952, 2.2); anything behind the last is an
/// error. Never produces more than the limit and one block.
public final class Inflater {
    private var stream = z_stream()
    private var window: Int32?
    private var output: UnsafeMutableRawBufferPointer
    /// What is kept between bodies.
    private static let kept = 4 << 20
    private static let first = 256 << 10

    /// Allocates nothing yet but the struct.
    public init() { output = UnsafeMutableRawBufferPointer(start: nil, count: 0) }

    deinit {
        if window != nil { inflateEnd(&stream) }
        output.deallocate()
    }

    /// Decompresses `source` and calls `body` with the result, which is valid during that call only.
    ///
    /// Throws `InflateError`, or what `body` throws. `identity` passes `source` on, within the limit.
    /// - Parameter limit: the most bytes that may come out.
    public func withInflated<Result>(
        _ source: UnsafeRawBufferPointer,
        _ coding: ContentCoding,
        limit: Int,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        if coding == .identity {
            guard source.count <= limit else { throw InflateError.tooLarge(limit: limit) }
            return try body(source)
        }
        let count = try inflate(source, coding, limit: limit)
        defer { shrink() }
        return try body(UnsafeRawBufferPointer(rebasing: output[..<count]))
    }

    private func inflate(
        _ source: UnsafeRawBufferPointer,
        _ coding: ContentCoding,
        limit: Int
    ) throws(InflateError) -> Int {
        guard source.count <= limit, source.count <= Int(UInt32.max) else { throw .tooLarge(limit: limit) }
        guard let start = source.baseAddress, source.count > 0 else { throw .truncated }
        try prepare(coding == .gzip ? 31 : Self.isZlib(source) ? 15 : -15)
        stream.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(source.count)
        // Telemetry shrinks to about an eighth; more is made when it is needed.
        grow(to: min(max(Self.first, source.count * 8), limit + 1, Self.kept))
        var count = 0
        while true {
            if count == output.count { grow(to: min(output.count * 2, limit + 1)) }
            let room = min(output.count - count, Int(UInt32.max))
            stream.next_out = output.baseAddress.map { ($0 + count).assumingMemoryBound(to: UInt8.self) }
            stream.avail_out = UInt32(room)
            let code = CZlib.inflate(&stream, Z_NO_FLUSH)
            count += room - Int(stream.avail_out)
            if count > limit { throw .tooLarge(limit: limit) }
            switch code {
            case Z_OK: if stream.avail_in == 0, stream.avail_out > 0 { throw .truncated }
            case Z_STREAM_END:
                if stream.avail_in == 0 { return count }
                guard coding == .gzip else { throw .corrupt("there is more behind its end") }
                guard inflateReset(&stream) == Z_OK else { throw .corrupt("cannot go on to the next member") }
            case Z_BUF_ERROR where stream.avail_in > 0 && stream.avail_out == 0: continue
            case Z_BUF_ERROR: throw .truncated
            default: throw .corrupt(stream.msg.map { String(cString: $0) } ?? "zlib code \(code)")
            }
        }
    }

    /// A zlib header is a multiple of 31 and names method 8 (RFC 1950, 2.2).
    private static func isZlib(_ source: UnsafeRawBufferPointer) -> Bool {
        source.count >= 2 && source[0] & 0x0F == 8 && (Int(source[0]) << 8 | Int(source[1])) % 31 == 0
    }

    private func prepare(_ bits: Int32) throws(InflateError) {
        if window == nil {
            let size = Int32(MemoryLayout<z_stream>.size)
            guard inflateInit2_(&stream, bits, ZLIB_VERSION, size) == Z_OK else {
                throw .corrupt("no memory")
            }
        } else {
            guard inflateReset2(&stream, bits) == Z_OK else { throw .corrupt("no memory") }
        }
        window = bits
    }

    private func grow(to size: Int) {
        guard size > output.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(output))
        output.deallocate()
        output = larger
    }

    /// One huge body shall not hold its memory for ever.
    private func shrink() {
        guard output.count > Self.kept else { return }
        output.deallocate()
        output = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}
