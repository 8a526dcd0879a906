import CZlib
public import NIOCore

/// Compresses to gzip, piece by piece or at once.
///
/// For one thread at a time.
public final class Deflater {
    private var stream = z_stream()
    private let isReady: Bool

    /// - Parameter level: 1 is fastest, 9 smallest. 1 to 4 suit answers made while somebody waits.
    public init(level: Int = 1) {
        let size = Int32(MemoryLayout<z_stream>.size)
        let level = Int32(max(1, min(9, level)))
        // Only want of memory makes this fail; then every use fails.
        isReady =
            deflateInit2_(&stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
    }

    deinit { if isReady { deflateEnd(&stream) } }

    /// Compresses a whole body; nil if zlib has no memory.
    public func deflate(_ source: UnsafeRawBufferPointer) -> ByteBuffer? {
        guard isReady, deflateReset(&stream) == Z_OK else { return nil }
        var result = ByteBuffer()
        result.reserveCapacity(source.count / 6 + 64)
        return append(source, finish: true, to: &result) ? result : nil
    }

    /// Compresses the next piece of one body onto `result`; the last with `finish`.
    ///
    /// False if zlib has no memory.
    public func append(_ source: UnsafeRawBufferPointer, finish: Bool, to result: inout ByteBuffer) -> Bool {
        guard isReady, source.count <= Int(UInt32.max) else { return false }
        stream.next_in = source.baseAddress.map {
            UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: UInt8.self))
        }
        stream.avail_in = UInt32(source.count)
        var code = Z_OK
        repeat {
            result.writeWithUnsafeMutableBytes(minimumWritableBytes: 16 << 10) { room in
                stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(clamping: room.count)
                let size = Int(stream.avail_out)
                code = CZlib.deflate(&stream, finish ? Z_FINISH : Z_NO_FLUSH)
                return size - Int(stream.avail_out)
            }
        } while code == Z_OK && (stream.avail_out == 0 || finish)
        return code == Z_STREAM_END || (!finish && (code == Z_OK || code == Z_BUF_ERROR))
    }
}

extension HTTPResponse {
    /// The same answer in gzip; the body is compressed piece by piece as the peer takes it.
    ///
    /// Small bodies, and those that bear a coding already, stay as they are.
    ///
    /// - Parameter minimum: bodies known to be smaller than this many bytes are not compressed.
    public func gzipped(level: Int = 1, minimum: Int = 1024) -> HTTPResponse {
        if let length = body.length, length < minimum { return self }
        guard fields["content-encoding"] == nil else { return self }
        var result = self
        result.fields.append("content-encoding", "gzip")
        result.fields.append("vary", "accept-encoding")
        result.body = .stream(Self.gzip(BodyOutput(self), level))
        return result
    }

    private static func gzip(_ body: sending BodyOutput, _ level: Int) -> HTTPBodyStream {
        let deflater = Deflater(level: level)
        var body = body
        var isOver = false
        return HTTPBodyStream {
            if isOver { return .end(trailers: nil) }
            var piece = ByteBuffer()
            // zlib swallows a few hundred KiB of repetitive text before anything comes out.
            while piece.readableBytes < 64 << 10 {
                switch body.next() {
                case .bytes(let bytes):
                    guard bytes.withUnsafeReadableBytes({ deflater.append($0, finish: false, to: &piece) })
                    else {
                        return .failed
                    }
                case .wait: return piece.readableBytes > 0 ? .bytes(piece) : .wait
                case .failed: return .failed
                case .end:
                    isOver = true
                    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
                    return deflater.append(nothing, finish: true, to: &piece) ? .bytes(piece) : .failed
                }
            }
            return .bytes(piece)
        }
    }
}
