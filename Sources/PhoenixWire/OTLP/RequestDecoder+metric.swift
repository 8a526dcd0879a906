import PhoenixModel

/// A metric's header, recognised by its bytes, and the choice of its kind.
extension RequestDecoder {
    /// What the fields of a metric beside its points say.
    private struct Shape {
        var kind = PointKind.gauge
        var temporality: UInt64 = 0
        var isMonotonic = false
        /// Distinguishes metrics whose headers have equal bytes.
        var bits: UInt64 {
            UInt64(kind.rawValue) | min(temporality, 3) << 3 | (isMonotonic ? 1 << 5 : 0)
        }
    }

    mutating func decodeMetric(
        _ message: ProtobufCursor,
        _ surroundings: Surroundings
    ) throws(MalformedMessage) {
        if try decodeExpectedMetric(message, surroundings) { return }
        var cursor = message
        var header = ProtobufCursor(message.position, message.position)
        var data: ProtobufCursor?
        var (shape, dataFields, isHeaderWhole) = (Shape(), 0, true)
        while !cursor.isAtEnd {
            let fieldStart = cursor.position
            let tag = try cursor.tag()
            if let kind = Self.kind(announcedBy: tag) {
                if dataFields == 0 { header = ProtobufCursor(message.position, fieldStart) }
                data = try cursor.delimited()
                shape.kind = kind
                dataFields += 1
            } else {
                try cursor.skip(tag)
                isHeaderWhole = isHeaderWhole && dataFields == 0
            }
        }
        guard let data else { return try checkHeader(message) }
        if dataFields == 1, isHeaderWhole {
            return try decodeData(data, header, &shape, surroundings)
        }
        // Written in another order than every known encoder's: put the header and the data together first.
        let dataTag = Self.tag(of: shape.kind)
        let wholeHeader = try JoinedFields([0x0A, 0x12, 0x1A, 0x62], in: message)
        let wholeData = try lastData(message, dataTag)
        try decodeData(wholeData.cursor, wholeHeader.cursor, &shape, surroundings)
        withExtendedLifetime((wholeHeader, wholeData)) {}
    }
    /// Decodes the metric where it begins with the same header as the one that came next last time, and its data is
    /// all that follows: nothing of the header is read but its bytes compared.
    @inline(__always)
    private mutating func decodeExpectedMetric(
        _ message: ProtobufCursor,
        _ surroundings: Surroundings
    ) throws(MalformedMessage) -> Bool {
        let length = metrics.lengthOfExpected(
            after: cursors.metric,
            atStartOf: message.position,
            message.left
        )
        guard length > 0, length < message.left,
            let kind = Self.kind(announcedBy: UInt32(message.position[length]))
        else { return false }
        var cursor = ProtobufCursor(message.position + length + 1, message.end)
        let data = try cursor.delimited()
        guard cursor.isAtEnd else { return false }
        var shape = Shape()
        shape.kind = kind
        try decodeData(
            data,
            ProtobufCursor(message.position, message.position + length),
            &shape,
            surroundings
        )
        return true
    }
    /// The kind that a data field's tag announces: gauge 5, sum 7, histogram 9, exponential 10, summary 11.
    @inline(__always)
    private static func kind(announcedBy tag: UInt32) -> PointKind? {
        switch tag {
        case 0x2A: .gauge
        case 0x3A: .sum
        case 0x4A: .histogram
        case 0x52: .exponentialHistogram
        case 0x5A: .summary
        default: nil
        }
    }
    private static func tag(of kind: PointKind) -> UInt32 {
        switch kind {
        case .gauge: 0x2A
        case .sum: 0x3A
        case .histogram: 0x4A
        case .exponentialHistogram: 0x52
        case .summary: 0x5A
        }
    }
    /// The last kind of data wins; parts of it that stand after any other kind are one message.
    private mutating func lastData(
        _ message: ProtobufCursor,
        _ dataTag: UInt32
    ) throws(MalformedMessage) -> JoinedFields {
        var cursor = message
        var first = message.position
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if Self.kind(announcedBy: tag) == nil {
                try cursor.skip(tag)
            } else {
                // What a later kind replaces still has to be well-formed.
                try checkData(try cursor.delimited(), tag)
                if tag != dataTag { first = cursor.position }
            }
        }
        return try JoinedFields(contentsOf: dataTag, in: ProtobufCursor(first, message.end))
    }

    private mutating func decodeData(
        _ data: ProtobufCursor,
        _ header: ProtobufCursor,
        _ shape: inout Shape,
        _ surroundings: Surroundings
    ) throws(MalformedMessage) {
        if shape.kind != .gauge, shape.kind != .summary { try readTemporality(data, &shape) }
        let slot = try metricSlot(header, shape, surroundings)
        let context = PointContext(
            resource: surroundings.resource,
            metric: slot,
            hasTemporality: shape.kind == .gauge || shape.kind == .summary
                || (1...2).contains(shape.temporality)
        )
        var cursor = data
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            guard tag == 0x0A else {
                try cursor.skip(tag)
                continue
            }
            let point = try cursor.delimited()
            switch shape.kind {
            case .gauge, .sum: try decodeNumber(point, context)
            case .histogram: try decodeHistogram(point, context)
            case .exponentialHistogram: try decodeExponential(point, context)
            case .summary: try decodeSummary(point, context)
            }
        }
    }
    /// Temporality (2) and monotonicity (3) come after the points in every known encoding, but are needed before.
    private func readTemporality(_ data: ProtobufCursor, _ shape: inout Shape) throws(MalformedMessage) {
        var cursor = data
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x10: shape.temporality = UInt64(UInt32(truncatingIfNeeded: try cursor.varint()))
            case 0x18 where shape.kind == .sum: shape.isMonotonic = try cursor.varint() != 0
            case let tag: try cursor.skip(tag)
            }
        }
    }
    private mutating func metricSlot(
        _ header: ProtobufCursor,
        _ shape: Shape,
        _ surroundings: Surroundings
    ) throws(MalformedMessage) -> UInt32 {
        let context = surroundings.context | shape.bits
        let (start, count) = (header.position, header.left)
        if let entry = metrics.find(start, count, context: context, after: cursors.metric) {
            cursors.metric = entry
            return metrics.slot(of: entry)
        }
        var (name, unit, said) = ("", "", MetricNotes())
        var cursor = header
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A: name = try cursor.text()
            case 0x12: said.description = try cursor.text()
            case 0x1A: unit = try cursor.text()
            case 0x62: said.note(metadata: try cursor.delimited().keyValue(depth: 4))
            case let tag: try cursor.skip(tag)
            }
        }
        let identity = MetricIdentity(
            scope: scopes.meanings[Int(surroundings.scope)],
            name: name,
            unit: unit,
            kind: shape.kind,
            temporality: Temporality(rawValue: UInt8(min(shape.temporality, 3))) ?? .unspecified,
            isMonotonic: shape.isMonotonic
        )
        let metric = table.metric(identity, said)
        cursors.metric = metrics.add(
            start,
            count,
            context: context,
            after: cursors.metric,
            metric,
            slot: metric.slot
        )
        return metric.slot
    }

    /// A metric without data still has to be well-formed.
    private func checkHeader(_ message: ProtobufCursor) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A, 0x12, 0x1A: _ = try cursor.text()
            case 0x62: _ = try cursor.delimited().keyValue(depth: 4)
            case let tag: try cursor.skip(tag)
            }
        }
    }
    /// Reads data that a later field replaces, for its form alone.
    private mutating func checkData(_ data: ProtobufCursor, _ tag: UInt32) throws(MalformedMessage) {
        let (mark, counted) = (builder.mark, refusals)
        defer {
            builder.rollBack(to: mark)
            refusals = counted
        }
        guard let kind = Self.kind(announcedBy: tag) else { return }
        var cursor = data
        let context = PointContext(resource: 0, metric: 0, hasTemporality: false)
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            guard tag == 0x0A else {
                try cursor.skip(tag)
                continue
            }
            let point = try cursor.delimited()
            switch kind {
            case .gauge, .sum: try decodeNumber(point, context)
            case .histogram: try decodeHistogram(point, context)
            case .exponentialHistogram: try decodeExponential(point, context)
            case .summary: try decodeSummary(point, context)
            }
        }
    }
}
