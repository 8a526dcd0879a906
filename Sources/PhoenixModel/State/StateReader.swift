/// Reads what `StateWriter` wrote, a frame at a time; every check of it is made on the way.
///
/// Whoever restores from it must be able to stop: each call throws `StateError` where the bytes are not what they should
/// be. `verify` first, so that this does not happen half-way.
public struct StateReader {
    /// Up to so many bytes, fewer only at the end.
    public typealias Source = (Int) throws -> [UInt8]

    private let source: Source
    private var index: UInt64 = 0
    private var frame: [UInt8] = []
    private var position = 0
    /// The first frame of the next section, read ahead.
    private var upcoming: [UInt8]?
    private var isAtEnd = false
    private var sets: [AttributeSet] = []
    private var metrics: [Metric] = []
    private var layouts: [BucketLayout] = []

    /// Reads the magic word; throws `StateError.alien` where there is another.
    public init(_ source: @escaping Source) throws {
        self.source = source
        let magic = try source(StateFrame.magic.count)
        guard magic.count == StateFrame.magic.count else {
            throw StateError.damaged("it is cut off at its beginning")
        }
        guard magic.dropLast() == StateFrame.magic.dropLast() else {
            throw StateError.alien("it begins otherwise than one")
        }
        guard magic.last == StateFrame.magic.last else {
            throw StateError.alien(
                "its format is version \(magic.last ?? 0), known is \(StateFrame.magic.last ?? 0)"
            )
        }
    }
    /// Reads the whole and throws unless every frame is as it was written.
    public static func verify(_ source: @escaping Source) throws {
        var reader = try StateReader(source)
        while try reader.nextFrame().kind != .end {}
    }

    /// Goes on to the next section, past what is left of this one; false after the last.
    public mutating func nextSection() throws -> Bool {
        (sets, metrics, layouts, frame, position) = ([], [], [], [], 0)
        if let upcoming {
            (frame, self.upcoming) = (upcoming, nil)
            return true
        }
        while !isAtEnd {
            let (kind, bytes) = try nextFrame()
            if kind == .section {
                frame = bytes
                return true
            }
        }
        return false
    }

    private mutating func nextFrame() throws -> (kind: StateFrame.Kind, bytes: [UInt8]) {
        let place = "frame \(index)"
        let header = try source(StateFrame.headerLength)
        guard header.count == StateFrame.headerLength else {
            throw StateError.damaged("it is cut off before \(place)")
        }
        func number(_ range: Range<Int>) -> UInt64 {
            header[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let (length, checksum) = (Int(number(1..<5)), number(5..<13))
        guard let kind = StateFrame.Kind(rawValue: header[0]), length <= StateFrame.maximumLength else {
            throw StateError.damaged("\(place) has no head")
        }
        let bytes = length == 0 ? [] : try source(length)
        guard bytes.count == length else { throw StateError.damaged("it is cut off in \(place)") }
        guard bytes.withUnsafeBytes({ StateFrame.checksum($0, kind, index: index) }) == checksum else {
            throw StateError.damaged("the checksum of \(place) is another")
        }
        index += 1
        if kind == .end {
            isAtEnd = true
            guard try source(1).isEmpty else { throw StateError.damaged("something follows its end") }
        }
        return (kind, bytes)
    }
    /// Makes at least one byte readable.
    private mutating func fill() throws {
        while position == frame.count {
            guard upcoming == nil, !isAtEnd else { throw StateError.malformed(what: "a part is too short") }
            let (kind, bytes) = try nextFrame()
            switch kind {
            case .continuation: (frame, position) = (bytes, 0)
            case .section:
                upcoming = bytes
                throw StateError.malformed(what: "a part is too short")
            case .end: throw StateError.malformed(what: "a part is too short")
            }
        }
    }

    // MARK: Numbers and texts

    private mutating func byte() throws -> UInt8 {
        if position == frame.count { try fill() }
        position += 1
        return frame[position - 1]
    }
    public mutating func number() throws -> UInt64 {
        var (number, shift): (UInt64, UInt64) = (0, 0)
        while true {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw StateError.malformed(what: "a number is too great") }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
    }
    public mutating func number32() throws -> UInt32 {
        guard let number = UInt32(exactly: try number()) else {
            throw StateError.malformed(what: "a number is too great")
        }
        return number
    }
    /// How many things follow, each of at least a byte; memory is taken as they come, not by this word.
    public mutating func count() throws -> Int {
        guard let count = Int(exactly: try number()), count < 1 << 40 else {
            throw StateError.malformed(what: "a length is too great")
        }
        return count
    }
    public mutating func flag() throws -> Bool { try byte() != 0 }
    public mutating func bits() throws -> UInt64 {
        var bits: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 8) { bits |= UInt64(try byte()) << UInt64(shift) }
        return bits
    }
    public mutating func double() throws -> Double { Double(bitPattern: try bits()) }
    public mutating func signed() throws -> Int64 {
        let zigzag = try number()
        return Int64(bitPattern: zigzag >> 1 ^ (0 &- (zigzag & 1)))
    }
    public mutating func text() throws -> String { String(decoding: try bytes(), as: UTF8.self) }
    public mutating func bytes() throws -> [UInt8] {
        var (left, bytes) = (try count(), [UInt8]())
        while left > 0 {
            if position == frame.count { try fill() }
            let share = min(left, frame.count - position)
            bytes += frame[position..<position + share]
            position += share
            left -= share
        }
        return bytes
    }
}

/// Names.
extension StateReader {
    /// A series in the table of this process; nil where that is full.
    public mutating func series(_ table: SeriesTable, lane: SeriesLane = .shared) throws -> SeriesID? {
        let (resource, metric, attributes) = (try set(table), try metric(table), try set(table))
        return table.id(resource: resource, metric: metric, attributes: attributes, lane: lane)
    }
    public mutating func set(_ table: SeriesTable) throws -> AttributeSet {
        let number = try count()
        if number < sets.count { return sets[number] }
        guard number == sets.count else {
            throw StateError.malformed(what: "attributes are named before they are told")
        }
        sets.append(table.intern(try attributes()))
        return sets[number]
    }
    public mutating func metric(_ table: SeriesTable) throws -> Metric {
        let number = try count()
        if number < metrics.count { return metrics[number] }
        guard number == metrics.count else {
            throw StateError.malformed(what: "a metric is named before it is told")
        }
        let (name, unit) = (try text(), try text())
        let said = MetricNotes(description: try text(), isUntyped: try flag())
        guard let kind = PointKind(rawValue: UInt8(truncatingIfNeeded: try self.number())),
            let temporality = Temporality(rawValue: UInt8(truncatingIfNeeded: try self.number()))
        else { throw StateError.malformed(what: "a metric is of no kind") }
        let isMonotonic = try flag()
        var scope = Scope(name: try text(), version: try text(), schemaURL: try text())
        let attributes = try attributes()
        if !attributes.isEmpty { scope.attributes = table.intern(attributes) }
        let identity = MetricIdentity(
            scope: scope,
            name: name,
            unit: unit,
            kind: kind,
            temporality: temporality,
            isMonotonic: isMonotonic
        )
        metrics.append(table.metric(identity, said))
        return metrics[number]
    }
    public mutating func layout() throws -> BucketLayout {
        let number = try count()
        if number < layouts.count { return layouts[number] }
        guard number == layouts.count else {
            throw StateError.malformed(what: "bounds are named before they are told")
        }
        let hasBuckets = try flag()
        let bounds = try doubles()
        guard zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw StateError.malformed(what: "bounds do not rise")
        }
        layouts.append(BucketLayout(bounds: bounds, hasBuckets: hasBuckets))
        return layouts[number]
    }
    public mutating func doubles() throws -> [Double] {
        var numbers: [Double] = []
        for _ in 0..<(try count()) { numbers.append(try double()) }
        return numbers
    }
    public mutating func numbers() throws -> [UInt64] {
        var numbers: [UInt64] = []
        for _ in 0..<(try count()) { numbers.append(try number()) }
        return numbers
    }
    public mutating func attributes() throws -> [Attribute] { try attributes(depth: 0) }
    private mutating func attributes(depth: Int) throws -> [Attribute] {
        var attributes: [Attribute] = []
        for _ in 0..<(try count()) { attributes.append(Attribute(try text(), try value(depth: depth))) }
        return attributes
    }
    public mutating func value() throws -> AttributeValue { try value(depth: 0) }
    private mutating func value(depth: Int) throws -> AttributeValue {
        guard depth < 100 else { throw StateError.malformed(what: "a value lies too deep") }
        switch try number() {
        case 0: return .empty
        case 1: return .string(try text())
        case 2: return .bool(try flag())
        case 3: return .int(try signed())
        case 4: return .double(bits: try bits())
        case 5: return .bytes(try bytes())
        case 6:
            var values: [AttributeValue] = []
            for _ in 0..<(try count()) { values.append(try value(depth: depth + 1)) }
            return .array(values)
        case 7: return .map(try attributes(depth: depth + 1))
        default: throw StateError.malformed(what: "a value is of no kind")
        }
    }
}
