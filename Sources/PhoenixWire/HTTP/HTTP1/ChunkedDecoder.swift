import NIOCore

/// Takes the chunked transfer coding apart (RFC 9112, 7.1), whatever the pieces it comes in.
///
/// Strict: sizes of at most 15 digits, `\r\n` everywhere, extensions and trailers bounded and thrown away.
struct ChunkedDecoder {
    private enum State {
        /// In the size line; `digits` so far.
        case size(digits: Int)
        case chunkExtension(length: Int)
        case sizeEnd
        case data
        case dataReturn
        case dataNewline
        /// At the beginning of a trailer line or of the final empty line.
        case trailerStart
        case trailer
        case trailerNewline
        case end
        case done
    }
    private var state = State.size(digits: 0)
    private var remaining = 0
    private var trailerBytes = 0

    /// A limit on chunk extensions of one chunk and on all trailers together.
    static let overheadLimit = 8192

    var isDone: Bool { if case .done = state { true } else { false } }

    /// Consumes `bytes` up to the end of the body and gives its pieces to `sink`; returns how many were consumed.
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        _ sink: (UnsafeRawBufferPointer) throws(HTTP1Error) -> Void
    ) throws(HTTP1Error) -> Int {
        var at = 0
        while at < bytes.count {
            if case .done = state { return at }
            if case .data = state {
                let taken = min(remaining, bytes.count - at)
                try sink(UnsafeRawBufferPointer(rebasing: bytes[at..<(at + taken)]))
                at += taken
                remaining -= taken
                if remaining == 0 { state = .dataReturn }
                continue
            }
            try step(bytes[at])
            at += 1
        }
        return at
    }

    private mutating func step(_ byte: UInt8) throws(HTTP1Error) {
        switch state {
        case .size(let digits): try size(byte, digits)
        case .chunkExtension(let length):
            if byte == 13 {
                state = .sizeEnd
            } else if byte < 0x20 && byte != 9 || length >= Self.overheadLimit {
                throw .bad("a chunk extension is malformed or too long")
            } else {
                state = .chunkExtension(length: length + 1)
            }
        case .sizeEnd:
            guard byte == 10 else { throw .bad("a chunk size does not end in a line break") }
            state = remaining == 0 ? .trailerStart : .data
        case .dataReturn:
            guard byte == 13 else { throw .bad("a chunk is longer than it said") }
            state = .dataNewline
        case .dataNewline:
            guard byte == 10 else { throw .bad("a chunk does not end in a line break") }
            remaining = 0
            state = .size(digits: 0)
        case .trailerStart, .trailer, .trailerNewline, .end: try trailer(byte)
        case .data, .done: break
        }
    }

    private mutating func size(_ byte: UInt8, _ digits: Int) throws(HTTP1Error) {
        let lower = ASCII.lowercased(byte)
        if byte &- 48 < 10 || lower &- 97 < 6 {
            guard digits < 15 else { throw .bad("a chunk size is too large") }
            remaining = remaining << 4 | Int(byte &- 48 < 10 ? byte - 48 : lower - 87)
            state = .size(digits: digits + 1)
        } else if digits > 0, byte == 13 {
            state = .sizeEnd
        } else if digits > 0, byte == UInt8(ascii: ";") {
            state = .chunkExtension(length: 0)
        } else {
            throw .bad("a chunk size is not a hexadecimal number")
        }
    }

    private mutating func trailer(_ byte: UInt8) throws(HTTP1Error) {
        trailerBytes += 1
        if trailerBytes > Self.overheadLimit { throw .bad("the trailers are too long") }
        switch state {
        case .trailerStart:
            if byte == 13 {
                state = .end
            } else if ASCII.isToken(byte) {
                state = .trailer
            } else {
                throw .bad("a trailer has no proper name")
            }
        case .trailer:
            if byte == 13 {
                state = .trailerNewline
            } else if byte == 0x7F || (byte < 0x20 && byte != 9) {
                throw .bad("a trailer holds controls")
            }
        case .trailerNewline:
            guard byte == 10 else { throw .bad("a trailer does not end in a line break") }
            state = .trailerStart
        case .end:
            guard byte == 10 else { throw .bad("the body does not end in a line break") }
            state = .done
        default: break
        }
    }
}
