/// What is remembered of one point of several numbers, or of one total of them: a head, and counts behind it, in memory of
/// their own.
///
/// A row is an address. Who remembers it owns it: lets it go once, after which nobody uses it. So nothing is counted or
/// copied with a point, where arrays in dictionaries would be.
struct CompoundRow: BitwiseCopyable, @unchecked Sendable {
    // Sendable because a row has one owner, a value that cannot be copied or does not change any more (a picture), and
    // its head is Sendable.
    private struct Prefix: BitwiseCopyable {
        var kind: RowKind
        var capacity: UInt32
        var byteCount: UInt32
    }
    /// Where heads begin: they may hold numbers of 16 bytes.
    private static var headOffset: Int { 16 }
    private let base: UnsafeMutableRawPointer?

    static var none: CompoundRow { CompoundRow(base: nil) }
    private init(base: UnsafeMutableRawPointer?) { self.base = base }

    /// A row with room for so many counts, all 0.
    init<Head: RowHead>(_ head: Head, capacity: Int) {
        let offset = Self.countsOffset(Head.self)
        let byteCount = offset + capacity * 8
        let base = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        let prefix = Prefix(kind: Head.kind, capacity: UInt32(capacity), byteCount: UInt32(byteCount))
        base.initializeMemory(as: Prefix.self, to: prefix)
        (base + Self.headOffset).initializeMemory(as: Head.self, to: head)
        (base + offset).initializeMemory(as: UInt64.self, repeating: 0, count: capacity)
        self.base = base
    }
    @inline(__always)
    private static func countsOffset<Head>(_: Head.Type) -> Int {
        (headOffset + MemoryLayout<Head>.size + 7) & ~7
    }

    @inline(__always) var isNone: Bool { base == nil }
    @inline(__always) var kind: RowKind? { base?.assumingMemoryBound(to: Prefix.self).pointee.kind }
    @inline(__always)
    func holds<Head: RowHead>(_: Head.Type) -> Bool { kind == Head.kind }
    /// How many counts it has room for.
    @inline(__always) var capacity: Int {
        base.map { Int($0.assumingMemoryBound(to: Prefix.self).pointee.capacity) } ?? 0
    }
    var byteCount: Int { base.map { Int($0.assumingMemoryBound(to: Prefix.self).pointee.byteCount) } ?? 0 }

    /// The head, of the type that the row was made with.
    @inline(__always)
    func head<Head: RowHead>(_: Head.Type) -> UnsafeMutablePointer<Head> {
        guard let base, base.assumingMemoryBound(to: Prefix.self).pointee.kind == Head.kind else {
            preconditionFailure("a row of another kind")
        }
        return (base + Self.headOffset).assumingMemoryBound(to: Head.self)
    }
    /// So many of its counts, from a place on.
    @inline(__always)
    func counts<Head: RowHead>(behind _: Head.Type, from place: Int = 0, _ count: Int) -> CountSpace {
        guard let base, base.assumingMemoryBound(to: Prefix.self).pointee.kind == Head.kind else {
            preconditionFailure("a row of another kind")
        }
        precondition(place >= 0 && count >= 0 && place <= capacity - count)
        let first = (base + Self.countsOffset(Head.self)).assumingMemoryBound(to: UInt64.self)
        return CountSpace(base: first + place, count: count)
    }
    /// Gives the memory back; what the head holds must have been let go.
    func deallocate() { base?.deallocate() }

    /// The same bytes in memory of their own.
    func copyOfBytes() -> CompoundRow {
        base == nil ? .none : copy(to: .allocate(byteCount: byteCount, alignment: 16))
    }
    /// The same bytes in other memory, which has room for them, at a multiple of 16.
    fileprivate func copy(to place: UnsafeMutableRawPointer) -> CompoundRow {
        guard let base else { return .none }
        place.copyMemory(from: base, byteCount: byteCount)
        return CompoundRow(base: place)
    }
}

/// What a row begins with: plain bytes.
protocol RowHead: BitwiseCopyable, Sendable {
    static var kind: RowKind { get }
}
enum RowKind: UInt8, BitwiseCopyable, Sendable {
    case histogram, exponential, summary
    case histogramTotal, exponentialTotal, summaryTotal

    /// Those of which points it is.
    var points: PointKind {
        switch self {
        case .histogram, .histogramTotal: .histogram
        case .exponential, .exponentialTotal: .exponentialHistogram
        case .summary, .summaryTotal: .summary
        }
    }
}

/// Copies of rows, one behind the other, which go together.
struct RowCopies: ~Copyable, @unchecked Sendable {
    // Sendable because this one value owns the pages, and their rows do not change.
    private static let pageSize = 1 << 18
    private var pages: [UnsafeMutableRawPointer] = []
    private var used = 0
    private var room = 0
    private var layouts: [KeptLayout: BucketLayout] = [:]
    private var lastLayout: KeptLayout?

    deinit { for page in pages { page.deallocate() } }

    /// A copy of a row, which is not to be let go by itself.
    mutating func copy(_ row: CompoundRow) -> CompoundRow {
        let byteCount = (row.byteCount + 15) & ~15
        if byteCount == 0 { return .none }
        if used + byteCount > room {
            (used, room) = (0, max(Self.pageSize, byteCount))
            pages.append(.allocate(byteCount: room, alignment: 16))
        }
        defer { used += byteCount }
        if let layout = row.layout, layout != lastLayout {
            layouts[layout] = layout.object
            lastLayout = layout
        }
        return row.copy(to: pages[pages.count - 1] + used)
    }
}
