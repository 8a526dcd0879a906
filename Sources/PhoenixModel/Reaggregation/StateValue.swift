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

extension CompoundExtras: StateValue {
    func write(to writer: inout StateWriter) {
        sum.write(to: &writer)
        writer.write(hasSum)
        writer.write(keepsExtremes)
        writer.write(hasExtremes)
        if hasExtremes { for number in [minimum, maximum] { writer.write(number) } }
    }
    init(from reader: inout StateReader) throws {
        let sum = try ExactSum(from: &reader)
        let hasSum = try reader.flag()
        self.init(keepsExtremes: try reader.flag())
        (self.sum, self.hasSum, hasExtremes) = (sum, hasSum, try reader.flag())
        if hasExtremes { (minimum, maximum) = (try reader.double(), try reader.double()) }
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
