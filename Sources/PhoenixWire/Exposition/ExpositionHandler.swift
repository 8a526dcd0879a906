import NIOCore
import Synchronization

/// Serves an exposition over HTTP: format by `Accept`, gzip by `Accept-Encoding`, `name[]` to see a part of it.
///
/// The body is made while the scraper takes it. More scrapes at once than allowed get 503.
public final class ExpositionHandler: HTTPHandler {
    /// What is served at the moment of a scrape.
    public struct Contents {
        /// Said first, whatever else is shown.
        public var families: [PlainFamily]
        public var store: ExpositionStore?
        /// False leaves only `families`.
        public var showsSeries: Bool
        /// The time of the store's clock.
        public var now: Duration
        public init(
            _ families: [PlainFamily],
            _ store: ExpositionStore? = nil,
            showsSeries: Bool = true,
            now: Duration = .zero
        ) {
            (self.families, self.store, self.showsSeries, self.now) = (families, store, showsSeries, now)
        }
    }
    private let contents: @Sendable () -> Contents
    private let gzipLevel: Int
    private let slots: ScrapeSlots

    /// - Parameters:
    ///   - gzipLevel: 1 to 9; 0 never compresses.
    ///   - maximumScrapes: how many scrapes may run at once.
    public init(gzipLevel: Int = 1, maximumScrapes: Int = 10, _ contents: @escaping @Sendable () -> Contents)
    {
        (self.gzipLevel, self.contents) = (gzipLevel, contents)
        slots = ScrapeSlots(maximumScrapes)
    }
    /// How many scrapes are under way.
    public var scrapes: Int { slots.count }

    public func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        head.method == .get || head.method == .head ? nil : .methodNotAllowed(allow: "GET, HEAD")
    }
    public func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        responder.respond(respond(to: request.head))
    }

    func respond(to head: HTTPRequestHead) -> HTTPResponse {
        guard let slot = slots.take() else {
            return .retryLater(after: .seconds(1), "too many scrapes at once; scrape less often\n")
        }
        let dialect = ExpositionDialect.negotiated(accept: head.fields.list("accept"))
        var fields: HTTPFields = ["content-type": dialect.contentType, "vary": "accept, accept-encoding"]
        let isCompressed = gzipLevel > 0 && ContentCoding.acceptsGzip(head.fields.list("accept-encoding"))
        if isCompressed { fields.append("content-encoding", "gzip") }
        // What it would take to know the length of a body that nobody reads is a whole scrape: HEAD gets the head.
        let contents = contents()
        let scrape = (contents.store ?? ExpositionStore()).scrape(
            dialect.format,
            escaping: dialect.escaping,
            now: contents.now,
            with: contents.families,
            names: Self.names(head.query),
            showsSeries: contents.showsSeries && contents.store != nil
        )
        let level = gzipLevel
        let stream =
            isCompressed
            ? HTTPBodyStream(Self.compressed(scrape, level: level, slot))
            : HTTPBodyStream {
                withExtendedLifetime(slot) { scrape.next().map { .bytes($0) } ?? .end(trailers: nil) }
            }
        return HTTPResponse(200, fields, .stream(stream))
    }
    private static func compressed(
        _ scrape: ExpositionScrape,
        level: Int,
        _ slot: ScrapeSlots.Slot
    ) -> sending () -> HTTPBodyChunk {
        let deflater = Deflater(level: level)
        var isDone = false
        return {
            withExtendedLifetime(slot) {
                var output = ByteBuffer()
                // Deflate may keep small input to itself: go on until something comes out.
                while output.readableBytes == 0, !isDone {
                    let isFine = scrape.read { deflater.append($0, finish: false, to: &output) }
                    guard let isFine else {
                        isDone = true
                        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
                        guard deflater.append(empty, finish: true, to: &output) else { return .failed }
                        break
                    }
                    guard isFine else { return .failed }
                }
                return output.readableBytes > 0 ? .bytes(output) : .end(trailers: nil)
            }
        }
    }

    /// The series as text and as OpenMetrics in UTF-8, and what was dropped, without what the endpoint says of itself: for
    /// tests.
    public var spoken: [(name: String, text: String)] {
        let contents = contents()
        guard let store = contents.store, contents.showsSeries else { return [] }
        func text(_ format: ExpositionFormat, _ escaping: EscapingScheme) -> String {
            String(decoding: store.scrape(format, escaping: escaping, now: contents.now).all(), as: UTF8.self)
        }
        let counts = store.counts
        let dropped = ExpositionDrop.allCases.filter { counts[$0] > 0 }.map { "\($0.label) \(counts[$0])\n" }
        return [
            ("text", text(.text, .underscores)), ("OpenMetrics", text(.openMetrics, .allowUTF8)),
            ("dropped", dropped.joined()),
        ]
    }

    /// The values of `name[]` in a query, percent-decoded.
    static func names(_ query: String?) -> Set<String> {
        var names: Set<String> = []
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, ["name[]", "name%5B%5D", "name%5b%5d"].contains(parts[0]) else {
                continue
            }
            names.insert(decoded(parts[1]))
        }
        return names
    }
    private static func decoded(_ text: Substring) -> String {
        var (bytes, rest): ([UInt8], [UInt8].SubSequence) = ([], Array(text.utf8)[...])
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// How many scrapes may run at once.
private final class ScrapeSlots: Sendable {
    /// One scrape's place; given back when it is let go, however the scrape ended.
    final class Slot: Sendable {
        private let slots: ScrapeSlots
        init(_ slots: ScrapeSlots) { self.slots = slots }
        deinit { slots.taken.subtract(1, ordering: .relaxed) }
    }
    private let taken = Atomic<Int>(0)
    private let maximum: Int
    init(_ maximum: Int) { self.maximum = maximum }
    var count: Int { taken.load(ordering: .relaxed) }
    func take() -> Slot? {
        guard taken.add(1, ordering: .relaxed).newValue <= maximum else {
            taken.subtract(1, ordering: .relaxed)
            return nil
        }
        return Slot(self)
    }
}
