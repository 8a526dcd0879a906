/// The layouts of a batch's points, by their index. An object is held once where many points in a row have it: nobody counts
/// holders for each of them.
public struct LayoutColumn: Sendable, RandomAccessCollection, MutableCollection, ExpressibleByArrayLiteral {
    @usableFromInline var layouts: [BucketLayout]
    /// Where in `layouts` that of each point is.
    @usableFromInline var places: [UInt32]

    public init() { (layouts, places) = ([], []) }
    /// The points have those of `layouts` that `places` say.
    public init(_ layouts: [BucketLayout], places: [UInt32]) {
        precondition(places.allSatisfy { $0 < layouts.count })
        (self.layouts, self.places) = (layouts, places)
    }
    public init(arrayLiteral layouts: BucketLayout...) {
        self.init()
        for layout in layouts { append(layout) }
    }
    public var startIndex: Int { 0 }
    public var endIndex: Int { places.count }
    public subscript(index: Int) -> BucketLayout {
        get { layouts[Int(places[index])] }
        set { places[index] = place(of: newValue) }
    }
    public mutating func append(_ layout: BucketLayout) { places.append(place(of: layout)) }
    /// Room for so many points.
    public mutating func reserveCapacity(_ count: Int) { places.reserveCapacity(count) }
    /// Those of some points.
    func picked(_ indices: [Int]) -> Self { Self(layouts, places: indices.map { places[$0] }) }

    private mutating func place(of layout: BucketLayout) -> UInt32 {
        if layouts.last !== layout { layouts.append(layout) }
        return UInt32(layouts.count - 1)
    }
    /// The layouts as addresses: nobody holds them for every point that is looked at.
    @inlinable @inline(__always)
    public func withAddresses<Result>(_ body: (LayoutAddresses) -> Result) -> Result {
        layouts.withUnsafeBufferPointer { layouts in
            places.withUnsafeBufferPointer { body(LayoutAddresses(layouts, $0)) }
        }
    }
}

/// The layouts of a batch's points, which holds them while it is read.
public struct LayoutAddresses {
    @usableFromInline let layouts: UnsafeRawPointer?
    @usableFromInline let layoutCount: Int
    @usableFromInline let places: UnsafeBufferPointer<UInt32>

    @inlinable
    init(_ layouts: UnsafeBufferPointer<BucketLayout>, _ places: UnsafeBufferPointer<UInt32>) {
        (self.layouts, layoutCount, self.places) = (
            UnsafeRawPointer(layouts.baseAddress), layouts.count, places
        )
    }
    @inlinable @inline(__always)
    public subscript(index: Int) -> Unmanaged<BucketLayout> {
        precondition(index >= 0 && index < places.count)
        let place = Int(places[index])
        guard let layouts, place < layoutCount else { preconditionFailure("no such layout") }
        // An array of objects of one Swift class is an array of their addresses.
        return (layouts + place * MemoryLayout<Unmanaged<BucketLayout>>.stride).loadUnaligned(
            as: Unmanaged<BucketLayout>.self
        )
    }
}

/// A layout that a row holds, by its address: whoever keeps it lets it go once.
struct KeptLayout: BitwiseCopyable, Hashable, @unchecked Sendable {
    // Sendable because layouts are.
    private let address: Unmanaged<BucketLayout>
    /// A layout that somebody else holds as long as this is used.
    init(_ layout: BucketLayout) { address = .passUnretained(layout) }
    @inline(__always)
    init(_ address: Unmanaged<BucketLayout>) { self.address = address }

    @inline(__always)
    static func == (left: Self, right: Self) -> Bool {
        left.address.toOpaque() == right.address.toOpaque()
    }
    func hash(into hasher: inout Hasher) { hasher.combine(address.toOpaque()) }
    var object: BucketLayout { address.takeUnretainedValue() }
    /// How many buckets it has; without a count of who holds it.
    @inline(__always) var width: Int { address._withUnsafeGuaranteedRef { $0.bucketCount } }
    /// Whether both are the same bounds, if not the same object.
    @inline(__always)
    func isLike(_ other: Self) -> Bool { self == other || hasBounds(of: other) }
    @inline(never)
    private func hasBounds(of other: Self) -> Bool {
        address._withUnsafeGuaranteedRef { left in
            other.address._withUnsafeGuaranteedRef { right in left == right }
        }
    }
    func keep() { _ = address.retain() }
    func letGo() { address.release() }
}
