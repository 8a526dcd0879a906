/// State by series slot: pages that exist only where something was stored, so that a node pays for its own series.
///
/// A page never moves while it exists. The caller compares generations: the map knows slots only.
public struct SlotMap<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    // Sendable because the pages are owned by this one value, which cannot be copied, and hold Sendable elements.
    // Shifts are masked (`&>>`): a shift by a number that the compiler does not know asks first whether it is sound.
    @usableFromInline let pageBits: Int
    @usableFromInline let pageMask: Int
    private var pageSize: Int { pageMask + 1 }
    @usableFromInline var pages: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
    @usableFromInline var pageCount = 0
    @usableFromInline let vacant: Element
    /// How many pages are allocated.
    public private(set) var allocatedPages = 0

    /// A map in which every slot holds `vacant`.
    ///
    /// - Parameter pageBits: pages have so many bits of slots: few for who holds some of another node's slots only.
    public init(vacant: Element, pageBits: Int = 9) {
        precondition((0..<32).contains(pageBits))
        (self.vacant, self.pageBits, pageMask) = (vacant, pageBits, (1 << pageBits) - 1)
        pages = .allocate(capacity: 1)
        pages.initialize(to: nil)
        pageCount = 1
    }
    deinit {
        for index in 0..<pageCount { pages[index]?.deallocate() }
        pages.deallocate()
    }
    /// What the map holds in memory, in bytes.
    public var byteCount: Int {
        allocatedPages * pageSize * MemoryLayout<Element>.stride + pageCount * 8
    }

    /// The address of a slot's element, made where there was none; valid until the map goes.
    @inlinable @inline(__always)
    public mutating func element(_ slot: UInt32) -> UnsafeMutablePointer<Element> {
        let index = Int(slot) &>> pageBits
        if index < pageCount, let page = pages[index] { return page + (Int(slot) & pageMask) }
        return makePage(index) + (Int(slot) & pageMask)
    }
    /// The address of a slot's element where its page exists.
    @inlinable @inline(__always)
    public mutating func known(_ slot: UInt32) -> UnsafeMutablePointer<Element>? {
        let index = Int(slot) &>> pageBits
        guard index < pageCount, let page = pages[index] else { return nil }
        return page + (Int(slot) & pageMask)
    }
    /// A slot's element, where its page exists.
    @inlinable @inline(__always)
    public subscript(slot: UInt32) -> Element {
        let index = Int(slot) &>> pageBits
        guard index < pageCount, let page = pages[index] else { return vacant }
        return page[Int(slot) & pageMask]
    }
    @usableFromInline
    mutating func makePage(_ index: Int) -> UnsafeMutablePointer<Element> {
        if index >= pageCount {
            let count = max(index + 1, pageCount * 2)
            let grown = UnsafeMutablePointer<UnsafeMutablePointer<Element>?>.allocate(capacity: count)
            grown.initialize(repeating: nil, count: count)
            for old in 0..<pageCount { grown[old] = pages[old] }
            pages.deallocate()
            (pages, pageCount) = (grown, count)
        }
        let page = UnsafeMutablePointer<Element>.allocate(capacity: pageSize)
        page.initialize(repeating: vacant, count: pageSize)
        pages[index] = page
        allocatedPages += 1
        return page
    }

    /// The first slot at or after `slot` whose page exists; nil where there is none.
    public func firstStored(from slot: UInt32) -> UInt32? {
        var index = Int(slot) &>> pageBits
        if index < pageCount, pages[index] != nil { return slot }
        repeat {
            index += 1
            guard index < pageCount else { return nil }
        } while pages[index] == nil
        return UInt32(index << pageBits)
    }

    /// Visits every slot of every page.
    public func visit(_ visit: (UInt32, Element) -> Void) {
        for index in 0..<pageCount {
            guard let page = pages[index] else { continue }
            for offset in 0..<pageSize { visit(UInt32(index << pageBits | offset), page[offset]) }
        }
    }
    /// Visits every slot of every page; frees a page of which `visit` kept nothing (answered false throughout).
    public mutating func sweep(_ visit: (UInt32, inout Element) -> Bool) {
        for index in 0..<pageCount {
            guard let page = pages[index] else { continue }
            var isUsed = false
            for offset in 0..<pageSize {
                if visit(UInt32(index << pageBits | offset), &page[offset]) { isUsed = true }
            }
            guard !isUsed else { continue }
            page.deallocate()
            pages[index] = nil
            allocatedPages -= 1
        }
    }
    /// The map while nothing is added to it or taken away, for loops that only read.
    public struct Reader {
        @usableFromInline let pages: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
        @usableFromInline let pageBits: Int
        @usableFromInline let pageMask: Int
        /// A slot's element; its page must exist.
        @inlinable @inline(__always)
        public subscript(slot: UInt32) -> Element {
            pages[Int(slot) &>> pageBits].unsafelyUnwrapped[Int(slot) & pageMask]
        }
    }
    public var reader: Reader { Reader(pages: pages, pageBits: pageBits, pageMask: pageMask) }
    /// Makes every slot vacant.
    public mutating func removeAll() {
        for index in 0..<pageCount {
            pages[index]?.deallocate()
            pages[index] = nil
        }
        allocatedPages = 0
    }
}
