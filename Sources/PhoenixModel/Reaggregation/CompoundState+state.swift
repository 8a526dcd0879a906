/// What is written for the next process, and read.
protocol StateValue {
    func write(to writer: inout StateWriter)
    init(from reader: inout StateReader) throws
}

extension ExactSum: StateValue {
    func write(to writer: inout StateWriter) {
        writer.write(bits: UInt64(truncatingIfNeeded: integers))
        writer.write(signed: Int64(truncatingIfNeeded: integers >> 64))
        writer.write(isDouble)
        guard isDouble || doubles != 0 || rest != 0 else { return writer.write(false) }
        writer.write(true)
        writer.write(doubles)
        writer.write(rest)
    }
    init(from reader: inout StateReader) throws {
        let low = try reader.bits()
        integers = Int128(try reader.signed()) << 64 | Int128(low)
        isDouble = try reader.flag()
        if try reader.flag() { (doubles, rest) = (try reader.double(), try reader.double()) }
    }
}

extension HistogramMember: StateValue {
    func write(to writer: inout StateWriter) {
        writer.write(layout)
        writer.write(buckets)
        writer.write(count)
        for number in [sum, minimum, maximum] { writer.write(number) }
        writer.write(UInt64(flags.rawValue))
    }
    init(from reader: inout StateReader) throws {
        (layout, buckets, count) = (try reader.layout(), try reader.numbers(), try reader.number())
        (sum, minimum, maximum) = (try reader.double(), try reader.double(), try reader.double())
        flags = PointFlags(rawValue: UInt8(truncatingIfNeeded: try reader.number()))
        guard buckets.count == layout.bucketCount else {
            throw StateError.malformed(what: "buckets are missing")
        }
    }
}

extension CompoundExtras: StateValue {
    func write(to writer: inout StateWriter) {
        sum.write(to: &writer)
        writer.write(hasSum)
        writer.write(keepsExtremes)
        writer.write(extremes != nil)
        if let extremes {
            writer.write(extremes.minimum)
            writer.write(extremes.maximum)
        }
    }
    init(from reader: inout StateReader) throws {
        sum = try ExactSum(from: &reader)
        (hasSum, keepsExtremes) = (try reader.flag(), try reader.flag())
        extremes = try reader.flag() ? (try reader.double(), try reader.double()) : nil
    }
}

extension HistogramOutput: StateValue {
    func write(to writer: inout StateWriter) {
        writer.write(layout)
        writer.write(buckets)
        writer.write(count)
        writer.write(points)
        extras.write(to: &writer)
    }
    init(from reader: inout StateReader) throws {
        (layout, buckets, count) = (try reader.layout(), try reader.numbers(), try reader.number())
        points = try reader.count()
        extras = try CompoundExtras(from: &reader)
        guard buckets.count == layout.bucketCount else {
            throw StateError.malformed(what: "buckets are missing")
        }
    }
}

extension ExponentialBuckets: StateValue {
    func write(to writer: inout StateWriter) {
        writer.write(signed: Int64(scale))
        writer.write(zeroCount)
        writer.write(zeroThreshold)
        for side in [positive, negative] {
            writer.write(signed: Int64(side.offset))
            writer.write(side.counts)
        }
    }
    init(from reader: inout StateReader) throws {
        func side(_ reader: inout StateReader) throws -> Side {
            let offset = Int(try reader.signed())
            guard (-Int(Int32.max)...Int(Int32.max)).contains(offset) else {
                throw StateError.malformed(what: "a bucket lies too far out")
            }
            return Side(offset: offset, counts: try reader.numbers())
        }
        guard let scale = Int32(exactly: try reader.signed()), (-64...64).contains(scale) else {
            throw StateError.malformed(what: "a scale is none")
        }
        self.scale = scale
        (zeroCount, zeroThreshold) = (try reader.number(), try reader.double())
        (positive, negative) = (try side(&reader), try side(&reader))
    }
}

extension ExponentialMember: StateValue {
    func write(to writer: inout StateWriter) {
        buckets.write(to: &writer)
        writer.write(count)
        for number in [sum, minimum, maximum] { writer.write(number) }
        writer.write(UInt64(flags.rawValue))
    }
    init(from reader: inout StateReader) throws {
        (buckets, count) = (try ExponentialBuckets(from: &reader), try reader.number())
        (sum, minimum, maximum) = (try reader.double(), try reader.double(), try reader.double())
        flags = PointFlags(rawValue: UInt8(truncatingIfNeeded: try reader.number()))
    }
}

extension ExponentialOutput: StateValue {
    func write(to writer: inout StateWriter) {
        buckets.write(to: &writer)
        writer.write(count)
        writer.write(points)
        extras.write(to: &writer)
    }
    init(from reader: inout StateReader) throws {
        (buckets, count) = (try ExponentialBuckets(from: &reader), try reader.number())
        (points, extras) = (try reader.count(), try CompoundExtras(from: &reader))
    }
}

extension SummaryMember: StateValue {
    func write(to writer: inout StateWriter) {
        writer.write(count)
        writer.write(sum)
    }
    init(from reader: inout StateReader) throws { (count, sum) = (try reader.number(), try reader.double()) }
}

extension SummaryOutput: StateValue {
    func write(to writer: inout StateWriter) {
        writer.write(count)
        sum.write(to: &writer)
        writer.write(quantiles)
        writer.write(values)
    }
    init(from reader: inout StateReader) throws {
        (count, sum) = (try reader.number(), try ExactSum(from: &reader))
        (quantiles, values) = (try reader.doubles(), try reader.doubles())
        guard quantiles.count == values.count else {
            throw StateError.malformed(what: "quantiles are missing")
        }
    }
}

extension CompoundPool where Point: StateValue, Total: StateValue {
    /// What is known of an input of which this pool has a point.
    func write(_ point: Point, of slot: UInt32, to writer: inout StateWriter) {
        point.write(to: &writer)
        let twins = twins[slot] ?? []
        writer.write(twins.count)
        for twin in twins {
            twin.member.write(to: &writer)
            twin.point.write(to: &writer)
        }
    }
    mutating func read(member slot: UInt32, from reader: inout StateReader) throws {
        last[slot] = try Point(from: &reader)
        for _ in 0..<(try reader.count()) {
            let twin = Twin(member: try Member(from: &reader), point: try Point(from: &reader))
            twins[slot, default: []].append(twin)
        }
    }
}

extension CompoundState {
    /// The pools as they are written: their number says of which one something is.
    func write(total number: UInt32, to writer: inout StateWriter) {
        if let total = histograms.totals[number] {
            writer.write(UInt64(1))
            total.write(to: &writer)
        } else if let total = exponentials.totals[number] {
            writer.write(UInt64(2))
            total.write(to: &writer)
        } else if let total = summaries.totals[number] {
            writer.write(UInt64(3))
            total.write(to: &writer)
        } else {
            writer.write(UInt64(0))
        }
    }
    mutating func read(total number: UInt32, from reader: inout StateReader) throws {
        switch try reader.number() {
        case 0: break
        case 1: histograms.totals[number] = try HistogramOutput(from: &reader)
        case 2: exponentials.totals[number] = try ExponentialOutput(from: &reader)
        case 3: summaries.totals[number] = try SummaryOutput(from: &reader)
        default: throw StateError.malformed(what: "a total is of no kind")
        }
    }
    func write(member slot: UInt32, to writer: inout StateWriter) {
        if let point = histograms.last[slot] {
            writer.write(UInt64(1))
            histograms.write(point, of: slot, to: &writer)
        } else if let point = exponentials.last[slot] {
            writer.write(UInt64(2))
            exponentials.write(point, of: slot, to: &writer)
        } else if let point = summaries.last[slot] {
            writer.write(UInt64(3))
            summaries.write(point, of: slot, to: &writer)
        } else {
            writer.write(UInt64(0))
        }
    }
    mutating func read(member slot: UInt32, from reader: inout StateReader) throws {
        switch try reader.number() {
        case 0: break
        case 1: try histograms.read(member: slot, from: &reader)
        case 2: try exponentials.read(member: slot, from: &reader)
        case 3: try summaries.read(member: slot, from: &reader)
        default: throw StateError.malformed(what: "a point is of no kind")
        }
    }
}
