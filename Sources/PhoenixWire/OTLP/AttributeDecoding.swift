import PhoenixModel

/// Reads `KeyValue` and `AnyValue` of opentelemetry/proto/common/v1/common.proto: once for each new set of bytes.
extension ProtobufCursor {
    /// The attributes in a message, or in a run of its bytes, whose attribute fields bear `tag`.
    ///
    /// Depths are counted as the reference implementations do: from 0, the request's own.
    func attributes(tag attributeTag: UInt32, depth: Int) throws(MalformedMessage) -> [Attribute] {
        var cursor = self
        var attributes: [Attribute] = []
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == attributeTag {
                attributes.append(try cursor.delimited().keyValue(depth: depth + 1))
            } else {
                try cursor.skip(tag)
            }
        }
        return attributes
    }
    func keyValue(depth: Int) throws(MalformedMessage) -> Attribute {
        guard depth <= Self.maximumDepth else { throw MalformedMessage(.depth) }
        var cursor = self
        var attribute = Attribute("", .empty)
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A: attribute.key = try cursor.text()
            case 0x12: try cursor.delimited().anyValue(into: &attribute.value, depth: depth + 1)
            case let tag: try cursor.skip(tag)
            }
        }
        return attribute
    }
    /// Reads a value over what an earlier part of the same field said, as protobuf merges messages.
    private func anyValue(into value: inout AttributeValue, depth: Int) throws(MalformedMessage) {
        guard depth <= Self.maximumDepth else { throw MalformedMessage(.depth) }
        var cursor = self
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A: value = .string(try cursor.text())
            case 0x10: value = .bool(try cursor.varint() != 0)
            case 0x18: value = .int(Int64(bitPattern: try cursor.varint()))
            case 0x21: value = .double(bits: try cursor.fixed64())
            case 0x2A:
                var elements: [AttributeValue] = []
                if case .array(let earlier) = value { elements = earlier }
                try cursor.delimited().arrayElements(into: &elements, depth: depth + 1)
                value = .array(elements)
            case 0x32:
                var entries: [Attribute] = []
                if case .map(let earlier) = value { entries = earlier }
                let inner = try cursor.delimited()
                guard depth + 1 <= Self.maximumDepth else { throw MalformedMessage(.depth) }
                entries += try inner.attributes(tag: 0x0A, depth: depth + 1)
                value = .map(entries)
            // An index into a table that metrics do not have: as if absent, but it replaces what stood before.
            case 0x40:
                _ = try cursor.varint()
                value = .empty
            case 0x3A: value = .bytes(try cursor.delimited().asBytes())
            case let tag: try cursor.skip(tag)
            }
        }
    }
    private func arrayElements(into elements: inout [AttributeValue], depth: Int) throws(MalformedMessage) {
        guard depth <= Self.maximumDepth else { throw MalformedMessage(.depth) }
        var cursor = self
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            guard tag == 0x0A else {
                try cursor.skip(tag)
                continue
            }
            var element = AttributeValue.empty
            try cursor.delimited().anyValue(into: &element, depth: depth + 1)
            elements.append(element)
        }
    }
}
