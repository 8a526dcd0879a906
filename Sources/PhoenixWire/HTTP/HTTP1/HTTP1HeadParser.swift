import Glibc

/// Takes the head of an HTTP/1 request apart.
///
/// Strict: what two servers could read in two ways is refused, since that is what request smuggling lives on
/// (RFC 9112, 11.2).
struct HTTP1HeadParser {
    /// A head, and what it says about the rest of the connection.
    struct Parsed {
        var head: HTTPRequestHead
        var framing: HTTP1Framing
        /// The connection must end after the answer.
        var close: Bool
        /// The peer waits for `100 Continue`.
        var expectsContinue: Bool
        /// The bytes of the head with its empty line.
        var consumed: Int
    }

    /// Bytes of the current head in which no end was found, so that a head that comes byte by byte is not
    /// searched again and again.
    private var searched = 0
    /// Where the line begins that `searched` ends in.
    private var lineStart = 0
    /// The last head and its bytes: on a connection that is kept, the next is mostly the same.
    private var last: (bytes: [UInt8], parsed: Parsed)?
    /// Longer heads are not remembered.
    private static let rememberedSize = 2048

    /// Parses the head at the start of `bytes`, or returns nil if it is not complete.
    ///
    /// Called again with the same bytes and more behind them. `\r\n` before a request is skipped.
    mutating func parse(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(HTTP1Error) -> Parsed? {
        // The bytes of a whole head, its empty line included: whatever follows, they mean the same again.
        if let last, isAgain(last.bytes, bytes) {
            (searched, lineStart) = (0, 0)
            return last.parsed
        }
        var start = 0
        while start + 1 < bytes.count, start < 8, bytes[start] == 13, bytes[start + 1] == 10 { start += 2 }
        if searched < start {
            searched = start
            lineStart = start
        }
        guard let end = try findEnd(bytes) else {
            if bytes.count - start > limit { throw .headTooLarge }
            return nil
        }
        if end - start > limit { throw .headTooLarge }
        searched = 0
        lineStart = 0
        let parsed = try Self.parseComplete(bytes, start, end)
        last = end <= Self.rememberedSize ? (Array(bytes[..<end]), parsed) : nil
        return parsed
    }
    private func isAgain(_ known: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard known.count <= bytes.count, let base = bytes.baseAddress else { return false }
        return known.withUnsafeBytes { memcmp($0.baseAddress!, base, known.count) == 0 }
    }

    /// The index behind the empty line.
    private mutating func findEnd(_ bytes: UnsafeRawBufferPointer) throws(HTTP1Error) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        while searched < bytes.count {
            guard let found = memchr(base + searched, 10, bytes.count - searched) else {
                searched = bytes.count
                return nil
            }
            let newline = base.distance(to: UnsafeRawPointer(found))
            if newline == lineStart || bytes[newline - 1] != 13 {
                throw .bad("a line ends without a carriage return")
            }
            if newline - 1 == lineStart { return newline + 1 }
            lineStart = newline + 1
            searched = lineStart
        }
        return nil
    }

    private static func parseComplete(
        _ bytes: UnsafeRawBufferPointer,
        _ start: Int,
        _ end: Int
    ) throws(HTTP1Error) -> Parsed {
        var at = start
        let request = try requestLine(nextLine(bytes, &at))
        var scan = FieldScan()
        var fields = HTTPFields()
        while at < end - 2 {
            try field(nextLine(bytes, &at), into: &fields, &scan)
        }
        return try finish(request, fields, scan, consumed: end)
    }

    /// The line at `at` without its end, moving `at` behind it.
    ///
    /// There is one: `findEnd` saw it.
    private static func nextLine(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> UnsafeRawBufferPointer {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
        var length = rest.count
        if let base = rest.baseAddress, let found = memchr(base, 10, rest.count) {
            length = base.distance(to: UnsafeRawPointer(found))
        }
        at += length + 1
        return UnsafeRawBufferPointer(rebasing: rest[..<max(0, length - 1)])
    }

    private struct RequestLine {
        var method: HTTPMethod
        var target: String
        var version: HTTPRequestHead.Version
    }

    private static func requestLine(_ line: UnsafeRawBufferPointer) throws(HTTP1Error) -> RequestLine {
        guard let first = line.firstIndex(of: 0x20), first > 0,
            let second = line[(first + 1)...].firstIndex(of: 0x20), second > first + 1
        else { throw .bad("the request line is not method, target and version") }
        guard line[..<first].allSatisfy(ASCII.isToken) else { throw .bad("the method is not a token") }
        let target = line[(first + 1)..<second]
        // Bytes above ASCII are not legal but harmless and common; controls and spaces are neither.
        guard target.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw .bad("the target holds controls") }
        let version = line[(second + 1)...]
        let parsed: HTTPRequestHead.Version
        if version.elementsEqual("HTTP/1.1".utf8) {
            parsed = .http11
        } else if version.elementsEqual("HTTP/1.0".utf8) {
            parsed = .http10
        } else if version.starts(with: "HTTP/".utf8) {
            throw .badVersion
        } else {
            throw .bad("the request line does not end in a version")
        }
        return RequestLine(
            method: HTTPMethod(String(decoding: line[..<first], as: UTF8.self)),
            target: String(decoding: target, as: UTF8.self),
            version: parsed
        )
    }

    /// What was seen of the fields that matter for framing.
    private struct FieldScan {
        var lengths = 0
        var codings = 0
        var hosts = 0
        var expects = false
        var connection = false
    }

    private static func field(
        _ line: UnsafeRawBufferPointer,
        into fields: inout HTTPFields,
        _ scan: inout FieldScan
    ) throws(HTTP1Error) {
        guard let first = line.first, first != 0x20, first != 0x09 else {
            throw .bad("a field continues over lines, which is not served")
        }
        var colon = 0
        while colon < line.count, ASCII.isToken(line[colon]) { colon += 1 }
        guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else {
            throw .bad("a field has no proper name")
        }
        var low = colon + 1
        var high = line.count
        while low < high, line[low] == 0x20 || line[low] == 0x09 { low += 1 }
        while high > low, line[high - 1] == 0x20 || line[high - 1] == 0x09 { high -= 1 }
        for index in low..<high {
            let byte = line[index]
            if byte == 0x7F || (byte < 0x20 && byte != 0x09) { throw .bad("a field value holds controls") }
        }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        fields.append(name: name, value: UnsafeRawBufferPointer(rebasing: line[low..<high]))
        switch colon {
        case 4 where equal(name, "host"): scan.hosts += 1
        case 6 where equal(name, "expect"): scan.expects = true
        case 10 where equal(name, "connection"): scan.connection = true
        case 14 where equal(name, "content-length"): scan.lengths += 1
        case 17 where equal(name, "transfer-encoding"): scan.codings += 1
        default: break
        }
    }

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        for index in 0..<bytes.count where ASCII.lowercased(bytes[index]) != word.utf8Start[index] {
            return false
        }
        return true
    }

    private static func finish(
        _ request: RequestLine,
        _ fields: HTTPFields,
        _ scan: FieldScan,
        consumed: Int
    ) throws(HTTP1Error) -> Parsed {
        if scan.hosts > 1 { throw .bad("there is more than one Host") }
        if scan.hosts == 0, request.version == .http11 { throw .bad("there is no Host") }
        let framing = try framing(request.version, fields, scan)
        let length: Int? =
            switch framing {
            case .length(let length): length
            case .chunked: nil
            case .none: scan.lengths == 0 ? nil : 0
            }
        let head = HTTPRequestHead(
            method: request.method,
            target: request.target,
            version: request.version,
            fields: fields,
            authority: fields["host"],
            contentLength: length
        )
        var close = head.version == .http10
        if scan.connection, head.fields.contains("connection", token: "close") { close = true }
        var expectsContinue = false
        if scan.expects, head.version == .http11 {
            guard head.fields["expect"]?.lowercased() == "100-continue" else { throw .badExpectation }
            expectsContinue = framing != .none
        }
        return Parsed(
            head: head,
            framing: framing,
            close: close,
            expectsContinue: expectsContinue,
            consumed: consumed
        )
    }

    /// How the body ends (RFC 9112, 6.3), refusing what is ambiguous.
    private static func framing(
        _ version: HTTPRequestHead.Version,
        _ fields: HTTPFields,
        _ scan: FieldScan
    ) throws(HTTP1Error) -> HTTP1Framing {
        if scan.codings > 0 {
            if scan.lengths > 0 { throw .bad("there is both Content-Length and Transfer-Encoding") }
            if version == .http10 { throw .bad("Transfer-Encoding in HTTP/1.0") }
            if scan.codings > 1 { throw .bad("there is more than one Transfer-Encoding") }
            guard fields["transfer-encoding"]?.lowercased() == "chunked" else { throw .badCoding }
            return .chunked
        }
        guard scan.lengths > 0 else { return .none }
        if scan.lengths > 1 { throw .bad("there is more than one Content-Length") }
        let digits = (fields["content-length"] ?? "").utf8
        guard !digits.isEmpty, digits.count <= 15, digits.allSatisfy({ $0 &- 48 < 10 }) else {
            throw .bad("Content-Length is not a number")
        }
        let length = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        return length == 0 ? .none : .length(length)
    }
}

/// How the body of a request ends.
enum HTTP1Framing: Equatable {
    case none
    case length(Int)
    case chunked
}
