import PhoenixModel

/// Reads one line as a point.
struct PointTextParser {
    private var rest: Substring
    private let number: Int
    private var words: [String: String] = [:]
    private var value: String?

    init(_ line: String, number: Int) { (rest, self.number) = (line[...], number) }

    mutating func parse(into parts: inout MetricBatch.Parts, _ table: SeriesTable) throws {
        let name = String(rest.prefix { $0 != "{" })
        rest = rest.dropFirst(name.count)
        guard !name.isEmpty, take("{") else {
            throw error("a point begins like `name{resource: a=b; c=d} gauge`")
        }
        var resource: [Attribute] = []
        if take("resource:") { resource = try attributes() }
        skipSpace()
        var point: [Attribute] = []
        if take(";") || resource.isEmpty { point = try attributes() }
        guard take("}") else { throw error("expected `}` at `\(rest)`") }
        var identity = MetricIdentity(name: name, kind: .gauge)
        try readWords(&identity)
        let metric = table.metric(identity, description: words["help"].map(Self.inside) ?? "")
        let id = table.id(resource: table.intern(resource), metric: metric, attributes: table.intern(point))
        guard let id else { throw error("the series table is full") }
        try append(id, identity.kind, to: &parts)
        if let text = words["exemplar"] { parts.exemplars.append(try exemplar(text, of: id)) }
    }

    private mutating func readWords(_ identity: inout MetricIdentity) throws {
        let kinds: [String: PointKind] = [
            "gauge": .gauge, "sum": .sum, "histogram": .histogram, "exponential": .exponentialHistogram,
            "summary": .summary,
        ]
        while let word = nextWord() {
            if let kind = kinds[word] {
                identity.kind = kind
            } else if word == "cumulative" {
                identity.temporality = .cumulative
            } else if word == "delta" {
                identity.temporality = .delta
            } else if word == "monotonic" {
                identity.isMonotonic = true
            } else if let equals = word.firstIndex(of: "=") {
                words[String(word[..<equals])] = String(word[word.index(after: equals)...])
            } else {
                value = word
            }
        }
        identity.unit = words["unit"] ?? ""
        identity.scope.name = words["scope"] ?? ""
        identity.scope.version = words["version"] ?? ""
    }

    private func append(_ id: SeriesID, _ kind: PointKind, to parts: inout MetricBatch.Parts) throws {
        let (start, time) = (try self.time("start") ?? 0, try self.time("time") ?? PointText.origin)
        var flags: PointFlags = value == "none" ? .noRecordedValue : []
        if words["sum"] != nil { flags.insert(.hasSum) }
        if words["min"] != nil { flags.insert(.hasMinimum) }
        if words["max"] != nil { flags.insert(.hasMaximum) }
        switch kind {
        case .gauge, .sum:
            var bits: UInt64 = 0
            if let value, value != "none" {
                if let whole = Int64(value) {
                    bits = UInt64(bitPattern: whole)
                    flags.insert(.isInteger)
                } else if let real = Double(value) {
                    bits = real.bitPattern
                } else {
                    throw error("`\(value)` is no number")
                }
            }
            parts.numbers.append(id, time: time, start: start, bits: bits, flags: flags)
        case .histogram: try appendHistogram(id, start, time, flags, &parts.histograms)
        case .exponentialHistogram: try appendExponential(id, start, time, flags, &parts.exponentials)
        case .summary:
            parts.summaries.series.append(id)
            parts.summaries.starts.append(start)
            parts.summaries.times.append(time)
            parts.summaries.flags.append(flags)
            parts.summaries.counts.append(try whole("count"))
            parts.summaries.sums.append(try real("sum"))
            parts.summaries.offsets.append(parts.summaries.quantiles.count)
            for item in list("quantiles") {
                let pair = item.split(separator: ":").compactMap { Double($0.filter { $0 != " " }) }
                guard pair.count == 2 else { throw error("a quantile is written `0.5: 1`") }
                parts.summaries.quantiles.append(pair[0])
                parts.summaries.values.append(pair[1])
            }
        }
    }
    private func appendHistogram(
        _ id: SeriesID,
        _ start: UInt64,
        _ time: UInt64,
        _ flags: PointFlags,
        _ points: inout HistogramPoints
    ) throws {
        let buckets = list("buckets").compactMap(UInt64.init)
        let bounds = list("bounds").compactMap(Double.init)
        let layout = buckets.isEmpty ? BucketLayout.none : BucketLayout(bounds: bounds)
        guard buckets.count == layout.bucketCount else { throw error("there is one bucket more than bounds") }
        points.series.append(id)
        points.starts.append(start)
        points.times.append(time)
        points.flags.append(flags)
        points.counts.append(try whole("count"))
        points.sums.append(try real("sum"))
        points.minima.append(try real("min"))
        points.maxima.append(try real("max"))
        points.layouts.append(layout)
        points.offsets.append(points.buckets.count)
        points.buckets += buckets
    }
    private func appendExponential(
        _ id: SeriesID,
        _ start: UInt64,
        _ time: UInt64,
        _ flags: PointFlags,
        _ points: inout ExponentialPoints
    ) throws {
        points.series.append(id)
        points.starts.append(start)
        points.times.append(time)
        points.flags.append(flags)
        points.counts.append(try whole("count"))
        points.sums.append(try real("sum"))
        points.minima.append(try real("min"))
        points.maxima.append(try real("max"))
        points.scales.append(Int32(words["scale"] ?? "0") ?? 0)
        points.zeroCounts.append(try whole("zero"))
        points.zeroThresholds.append(try real("threshold"))
        for (name, path) in [("positive", \ExponentialPoints.positives), ("negative", \.negatives)] {
            let parts = (words[name] ?? "0:[]").split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let offset = Int32(parts[0]) else {
                throw error("a side is written `0:[1, 2]`")
            }
            let buckets = Self.items(parts[1]).compactMap(UInt64.init)
            points[keyPath: path].append(
                .init(offset: offset, start: points.buckets.count, count: buckets.count)
            )
            points.buckets += buckets
        }
    }

    /// `[0.5, time=10s, trace=0a0b…, span=0a0b…, key=value]`.
    private func exemplar(_ text: String, of id: SeriesID) throws -> Exemplar {
        var exemplar = Exemplar(
            series: id,
            timeUnixNano: 0,
            bits: 0,
            flags: [],
            traceID: [],
            spanID: [],
            filteredAttributes: .empty
        )
        var attributes: [Attribute] = []
        for item in Self.items(text[...]) {
            let pair = item.split(separator: "=", maxSplits: 1).map(String.init)
            switch (pair.first ?? "", pair.last ?? "") {
            case (let number, _) where pair.count == 1:
                guard let value = Double(number) else { throw error("`\(number)` is no number") }
                exemplar.bits = value.bitPattern
            case ("time", let time): exemplar.timeUnixNano = try Self.time(time, error)
            case ("trace", let digits): exemplar.traceID = Self.bytes(digits)
            case ("span", let digits): exemplar.spanID = Self.bytes(digits)
            case (let key, let value): attributes.append(Attribute(key, .string(value)))
            }
        }
        exemplar.filteredAttributes = AttributeSet(attributes)
        return exemplar
    }
    private static func bytes(_ digits: String) -> [UInt8] {
        let digits = Array(digits)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }

    // MARK: The pieces of a line

    private mutating func attributes() throws -> [Attribute] {
        var result: [Attribute] = []
        while true {
            skipSpace()
            guard let first = rest.first, first != "}", first != ";" else { return result }
            let key = String(rest.prefix { $0 != "=" && $0 != "}" })
            rest = rest.dropFirst(key.count)
            guard take("=") else { throw error("an attribute is written `key=value`, found `\(key)`") }
            result.append(Attribute(key, try attributeValue()))
            skipSpace()
            if !take(",") { return result }
        }
    }
    private mutating func attributeValue() throws -> AttributeValue {
        if take("\"") {
            var text = ""
            while let character = rest.popFirst(), character != "\"" {
                text.append(character == "\\" ? rest.popFirst() ?? "\\" : character)
            }
            return .string(text)
        }
        let text = String(rest.prefix { !",;}".contains($0) })
        rest = rest.dropFirst(text.count)
        func inside(_ name: String) -> String? {
            text.hasPrefix(name + "(") && text.hasSuffix(")")
                ? String(text.dropFirst(name.count + 1).dropLast()) : nil
        }
        if let number = inside("int").flatMap({ Int64($0) }) { return .int(number) }
        if let flag = inside("bool").flatMap({ Bool($0) }) { return .bool(flag) }
        if let number = inside("double").flatMap({ Double($0) }) { return .double(number) }
        return .string(text)
    }
    private mutating func take(_ text: String) -> Bool {
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }
    private mutating func skipSpace() { rest = rest.drop { $0 == " " } }
    /// The next word; spaces between brackets are part of it.
    private mutating func nextWord() -> String? {
        skipSpace()
        var (word, depth) = ("", 0)
        while let character = rest.first, character != " " || depth > 0 {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            word.append(character)
            rest.removeFirst()
        }
        return word.isEmpty ? nil : word
    }
    /// What stands between brackets.
    private static func inside(_ text: String) -> String { String(text.drop { $0 == "[" }.prefix { $0 != "]" }) }
    private func list(_ name: String) -> [String] { words[name].map { Self.items($0[...]) } ?? [] }
    private static func items(_ text: Substring) -> [String] {
        text.drop { $0 == "[" }.prefix { $0 != "]" }.split(separator: ",").map {
            String($0.drop { $0 == " " })
        }
    }
    private func whole(_ name: String) throws -> UInt64 {
        guard let text = words[name] else { return 0 }
        guard let number = UInt64(text) else { throw error("`\(name)` is a whole number, not `\(text)`") }
        return number
    }
    private func real(_ name: String) throws -> Double {
        guard let text = words[name] else { return 0 }
        guard let number = Double(text) else { throw error("`\(name)` is a number, not `\(text)`") }
        return number
    }
    private func time(_ name: String) throws -> UInt64? {
        guard let text = words[name] else { return nil }
        return try Self.time(text, error)
    }
    private static func time(
        _ text: String,
        _ error: (String) -> PointTextError
    ) throws -> UInt64 {
        for (unit, scale) in [("ns", 1.0), ("ms", 1e6), ("s", 1e9)] where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)) else { continue }
            return PointText.origin &+ UInt64(bitPattern: Int64(number * scale))
        }
        throw error("a time is written like `10s`, not `\(text)`")
    }
    private func error(_ message: String) -> PointTextError { PointTextError(line: number, message: message) }
}
