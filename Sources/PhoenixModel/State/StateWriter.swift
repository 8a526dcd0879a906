/// Writes what nodes remember, by names: ids of series mean nothing to another process.
///
/// Numbers are LEB128, or eight bytes where all bits count. Within a section every attribute set and metric is written
/// once, where it is first used. Holds a frame and the names of a section, whatever the length of the whole.
public struct StateWriter {
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var buffer: [UInt8] = []
    private var kind = StateFrame.Kind.continuation
    private var index: UInt64 = 0
    private var sets: [ObjectIdentifier: (number: UInt64, object: AttributeSet)] = [:]
    private var metrics: [ObjectIdentifier: (number: UInt64, object: Metric)] = [:]
    private var layouts: [BucketLayout: UInt64] = [:]
    /// How many bytes went out.
    public private(set) var byteCount = 0

    /// A writer whose bytes go to `sink`, a frame at a time.
    public init(_ sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
        self.sink = sink
        try put(StateFrame.magic)
    }

    /// Begins the memory of another node.
    public mutating func beginSection() throws {
        try flush()
        kind = .section
        (sets, metrics, layouts) = ([:], [:], [:])
    }
    /// Sends frames that are full; to be called now and then, at least once for each series.
    public mutating func settle() throws {
        guard buffer.count >= StateFrame.maximumLength else { return }
        try emit(all: false)
    }
    /// Ends the whole.
    public mutating func finish() throws {
        try flush()
        try frame([], .end)
    }

    /// Sends all that was written so far.
    public mutating func flush() throws {
        if kind == .section || !buffer.isEmpty { try emit(all: true) }
    }
    private mutating func emit(all: Bool) throws {
        var rest = buffer[...]
        repeat {
            try frame(Array(rest.prefix(StateFrame.maximumLength)), kind)
            rest = rest.dropFirst(StateFrame.maximumLength)
            kind = .continuation
        } while all ? !rest.isEmpty : rest.count >= StateFrame.maximumLength
        buffer = Array(rest)
    }
    private mutating func frame(_ bytes: [UInt8], _ kind: StateFrame.Kind) throws {
        let checksum = bytes.withUnsafeBytes { StateFrame.checksum($0, kind, index: index) }
        index += 1
        var header = [kind.rawValue]
        for shift in stride(from: 0, to: 32, by: 8) {
            header.append(UInt8(truncatingIfNeeded: bytes.count >> shift))
        }
        for shift in stride(from: 0, to: 64, by: 8) {
            header.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        try put(header)
        try put(bytes)
    }
    private mutating func put(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        byteCount += bytes.count
        try bytes.withUnsafeBytes(sink)
    }

    // MARK: Numbers and texts

    public mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(UInt8(rest))
    }
    public mutating func write(_ number: Int) { write(UInt64(number)) }
    public mutating func write(_ number: UInt32) { write(UInt64(number)) }
    public mutating func write(_ flag: Bool) { buffer.append(flag ? 1 : 0) }
    /// All eight bytes.
    public mutating func write(bits: UInt64) {
        withUnsafeBytes(of: bits.littleEndian) { buffer.append(contentsOf: $0) }
    }
    public mutating func write(_ number: Double) { write(bits: number.bitPattern) }
    /// Near zero on either side.
    public mutating func write(signed number: Int64) { write(UInt64(bitPattern: number << 1 ^ number >> 63)) }
    public mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            write(utf8.count)
            buffer.append(contentsOf: utf8)
        }
    }
    public mutating func write(_ bytes: [UInt8]) {
        write(bytes.count)
        buffer += bytes
    }
}

/// Names.
extension StateWriter {
    /// The resource, the metric and the attributes; what was written before in this section by its number.
    public mutating func write(_ series: Series) {
        write(series.resource)
        write(series.metric)
        write(series.attributes)
    }
    public mutating func write(_ set: AttributeSet) {
        if let known = sets[ObjectIdentifier(set)] { return write(known.number) }
        let number = UInt64(sets.count)
        // The object is held, so that no other gets its address.
        sets[ObjectIdentifier(set)] = (number, set)
        write(number)
        write(set.attributes)
    }
    public mutating func write(_ metric: Metric) {
        if let known = metrics[ObjectIdentifier(metric)] { return write(known.number) }
        let number = UInt64(metrics.count)
        metrics[ObjectIdentifier(metric)] = (number, metric)
        write(number)
        let (identity, said) = (metric.identity, metric.said)
        for text in [identity.name, identity.unit, said.description] { write(text) }
        write(said.isUntyped)
        write(UInt64(identity.kind.rawValue))
        write(UInt64(identity.temporality.rawValue))
        write(identity.isMonotonic)
        let scope = identity.scope
        for text in [scope.name, scope.version, scope.schemaURL] { write(text) }
        write(scope.attributes.attributes)
    }
    public mutating func write(_ layout: BucketLayout) {
        if let known = layouts[layout] { return write(known) }
        let number = UInt64(layouts.count)
        layouts[layout] = number
        write(number)
        write(layout.hasBuckets)
        write(layout.bounds)
    }
    public mutating func write(_ numbers: [Double]) {
        write(numbers.count)
        for number in numbers { write(number) }
    }
    public mutating func write(_ numbers: [UInt64]) {
        write(numbers.count)
        for number in numbers { write(number) }
    }
    public mutating func write(_ attributes: [Attribute]) {
        write(attributes.count)
        for attribute in attributes {
            write(attribute.key)
            write(attribute.value)
        }
    }
    public mutating func write(_ value: AttributeValue) {
        switch value {
        case .empty: write(UInt64(0))
        case .string(let text):
            write(UInt64(1))
            write(text)
        case .bool(let flag):
            write(UInt64(2))
            write(flag)
        case .int(let number):
            write(UInt64(3))
            write(signed: number)
        case .double(let bits):
            write(UInt64(4))
            write(bits: bits)
        case .bytes(let bytes):
            write(UInt64(5))
            write(bytes)
        case .array(let values):
            write(UInt64(6))
            write(values.count)
            for value in values { write(value) }
        case .map(let entries):
            write(UInt64(7))
            write(entries)
        }
    }
}
