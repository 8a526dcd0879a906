import CZlib
import NIOCore
import Testing

@testable import PhoenixWire

@Suite struct GzipTests {
    private func gzip(_ bytes: [UInt8], level: Int = 1) -> [UInt8] {
        bytes.withUnsafeBytes { Deflater(level: level).deflate($0) }.map { Array($0.readableBytesView) } ?? []
    }
    private func inflate(
        _ bytes: [UInt8],
        _ coding: ContentCoding = .gzip,
        limit: Int = 1 << 24,
        _ inflater: Inflater = Inflater()
    ) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try inflater.withInflated($0, coding, limit: limit) { Array($0) } }
    }

    @Test func comesBackAsItWas() throws {
        let inflater = Inflater()
        for size in [0, 1, 1000, 300_000, 5_000_000] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 7 &* 31) }
            #expect(try inflate(gzip(bytes), .gzip, inflater) == bytes)
            #expect(try inflate(gzip(bytes, level: 9) + gzip([1]), .gzip, inflater) == bytes + [1])
        }
    }

    private func inflate(_ bytes: [UInt8], _ coding: ContentCoding, _ inflater: Inflater) throws -> [UInt8] {
        try inflate(bytes, coding, limit: 1 << 24, inflater)
    }

    @Test func takesZlibAndBareDeflate() throws {
        let bytes = [UInt8](repeating: 5, count: 10_000)
        var zlib = [UInt8](repeating: 0, count: 1000)
        var size = uLongf(zlib.count)
        #expect(compress(&zlib, &size, bytes, uLong(bytes.count)) == Z_OK)
        zlib.removeLast(zlib.count - Int(size))
        #expect(try inflate(zlib, .deflate) == bytes)
        #expect(try inflate(Array(zlib.dropFirst(2).dropLast(4)), .deflate) == bytes)
        #expect(throws: InflateError.self) { try inflate(zlib + [0], .deflate) }
    }

    @Test func tellsCorruptFromTruncatedFromTooLarge() throws {
        let packed = gzip([UInt8](repeating: 7, count: 1_000_000))
        #expect(throws: InflateError.tooLarge(limit: 999_999)) { try inflate(packed, limit: 999_999) }
        #expect(try inflate(packed, limit: 1_000_000).count == 1_000_000)
        #expect(throws: InflateError.truncated) { try inflate(Array(packed.dropLast())) }
        #expect(throws: InflateError.truncated) { try inflate([]) }
        #expect(throws: InflateError.tooLarge(limit: 10)) {
            try inflate([UInt8](repeating: 0, count: 11), .identity, limit: 10)
        }
        var broken = packed
        broken[packed.count - 6] ^= 1
        let errors = [broken, [1, 2, 3], packed + [0, 0], packed + Array("more".utf8)]
        for bytes in errors {
            #expect { try inflate(bytes) } throws: { error in
                if case .corrupt = error as? InflateError { true } else { false }
            }
        }
    }

    @Test(arguments: [
        ("gzip", true), ("GZIP;q=0.5", true), ("gzip;q=0", false), ("gzip; q=0.0", false), ("*", true),
        ("*;q=0", false), ("identity", false), ("deflate, gzip", true), ("gzip;q=0, *", false), ("", false),
        ("gzip;q=0.1, identity;q=0.9", false), ("gzip;q=x", false), ("br;q=1.0, gzip;q=0.8, *;q=0.1", true),
    ])
    func negotiates(value: String, expected: Bool) {
        #expect(ContentCoding.acceptsGzip(value) == expected)
    }

    @Test func namesCodings() {
        #expect(ContentCoding(nil) == .identity && ContentCoding("Identity") == .identity)
        #expect(ContentCoding("X-GZIP") == .gzip && ContentCoding("deflate") == .deflate)
        #expect(ContentCoding("br") == nil && !ContentCoding.acceptsGzip(nil))
    }

    @Test func compressesAnswersAsTheyGoOut() throws {
        let text = String(repeating: "phoenix_metric{a=\"b\"} 1\n", count: 100_000)
        let handler = HTTPClosure { _, _ in HTTPResponse.text(200, text).gzipped() }
        let server = try EmbeddedServer(table(["/m": handler]))
        let answer = try HTTP2Client(server, window: 1 << 24).call("GET", "/m")
        #expect(answer.fields["content-encoding"] == "gzip")
        #expect(answer.fields["content-length"] == nil)
        #expect(try inflate(answer.body) == Array(text.utf8))
        #expect(HTTPResponse.text(200, "small").gzipped().fields["content-encoding"] == nil)
    }
}
