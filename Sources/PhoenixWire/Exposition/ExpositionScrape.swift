public import NIOCore
import PhoenixModel

/// One exposition while it is written, page by page, at the pace at which the scraper takes it.
///
/// Nothing is copied beforehand: a page is written under the store's lock (a quarter of a millisecond), and batches come
/// in between pages. Every family is one piece; a series that exists throughout is there exactly once, with a whole
/// value, which may be newer in later pages.
public final class ExpositionScrape: Sendable {
    private let store: ExpositionStore
    private let id: UInt64
    private let page: Lock<PageBox>
    private final class PageBox {
        var page = ExpositionPage(capacity: 256 << 10)
    }
    init(_ store: ExpositionStore, _ id: UInt64) {
        (self.store, self.id) = (store, id)
        page = Lock(PageBox())
    }
    deinit { store.endScrape(id) }

    /// The next piece, about 256 KiB; nil after the last.
    public func next() -> ByteBuffer? {
        read { ByteBuffer(bytes: $0) }
    }
    /// Appends the next piece; false when there was none.
    public func next(into bytes: inout [UInt8]) -> Bool {
        read { bytes.append(contentsOf: $0) } != nil
    }
    /// The whole exposition at once: for tests and small stores.
    public func all() -> [UInt8] {
        var bytes: [UInt8] = []
        while next(into: &bytes) {}
        return bytes
    }
    /// Reads the next piece in place.
    func read<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        page.withLock { box in
            box.page.count = 0
            while store.fill(&box.page, cursor: id) {
                if box.page.count > 0 { return body(box.page.bytes) }
            }
            return box.page.count > 0 ? body(box.page.bytes) : nil
        }
    }
}

/// Where a scrape stands.
struct ScrapeCursor {
    enum Phase {
        case plain([PlainFamily])
        case families
        case targets
        case end
        case done
    }
    let dialect: ExpositionDialect
    /// The clock when it began; what is expired by then is not shown.
    let tick: UInt32
    let names: Set<String>
    var phase: Phase
    let showsSeries: Bool
    /// The family that is being written, from `place` to before `end` of its members.
    var family: ExposedFamily?
    var place = 0
    var end = 0
    /// The name of the last family begun.
    var name: String?
    var hasHeader = false

    init(
        dialect: ExpositionDialect,
        tick: UInt32,
        names: Set<String>,
        phase: Phase,
        showsSeries: Bool
    ) {
        (self.dialect, self.tick, self.names) = (dialect, tick, names)
        (self.phase, self.showsSeries) = (phase, showsSeries)
    }
    func wants(_ name: ExposedName) -> Bool {
        if names.isEmpty || names.contains(name.family) || names.contains(name.sample) { return true }
        let shown = name.escaped(dialect.escaping)
        return names.contains(shown.family) || names.contains(shown.sample)
    }
}
