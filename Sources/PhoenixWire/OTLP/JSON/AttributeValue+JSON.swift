import PhoenixModel

/// The names of `KeyValue` and `AnyValue` in OTLP/JSON (opentelemetry/proto/common/v1/common.proto).
private enum KeyValueField: String { case key, value }
private enum AnyValueField: String {
    case stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue
}
private enum ListField: String { case values }

extension JSONValue {
    /// The attributes in an array of `KeyValue`s.
    func attributes() throws(MalformedJSON) -> [Attribute] {
        var attributes: [Attribute] = []
        for element in try elements() {
            let fields = try element.fields(KeyValueField.self)
            attributes.append(Attribute(try fields.string(.key), try fields[.value]?.anyValue() ?? .empty))
        }
        return attributes
    }
    /// An `AnyValue`; the scanner's bound on depth bounds the recursion.
    func anyValue() throws(MalformedJSON) -> AttributeValue {
        let fields = try fields(AnyValueField.self)
        let chosen = fields.last(
            of: .stringValue,
            .boolValue,
            .intValue,
            .doubleValue,
            .arrayValue,
            .kvlistValue,
            .bytesValue
        )
        guard let (field, value) = chosen else { return .empty }
        switch field {
        case .stringValue: return .string(try value.string())
        case .boolValue: return .bool(try value.bool())
        case .intValue: return .int(try value.int64())
        case .doubleValue: return .double(try value.double())
        case .bytesValue: return .bytes(try value.base64())
        case .kvlistValue: return .map(try value.fields(ListField.self)[.values]?.attributes() ?? [])
        case .arrayValue:
            var values: [AttributeValue] = []
            for element in try value.fields(ListField.self).elements(.values) {
                values.append(try element.anyValue())
            }
            return .array(values)
        }
    }
}

extension JSONFields {
    func attributes(_ field: Field) throws(MalformedJSON) -> [Attribute] {
        try self[field]?.attributes() ?? []
    }
}
