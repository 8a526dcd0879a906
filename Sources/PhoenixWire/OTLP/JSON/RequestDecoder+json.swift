import PhoenixModel

/// The upper levels of OTLP/JSON, into the same builder and under the same rules as protobuf.
///
/// The text is scanned once as a whole; then each message's members are looked up where they stand, since JSON
/// orders them as it likes: a temporality may follow the points that it rules. Nothing is remembered from request to
/// request but the series.
///
/// Source: opentelemetry-proto docs/specification.md, JSON Protobuf Encoding.
extension RequestDecoder {
    private enum RequestField: String { case resourceMetrics }
    private enum ResourceMetricsField: String { case resource, scopeMetrics }
    private enum ResourceField: String { case attributes }
    private enum ScopeMetricsField: String { case scope, metrics, schemaUrl }
    private enum ScopeField: String { case name, version, attributes }
    private enum MetricField: String {
        case name, description, unit, gauge, sum, histogram, exponentialHistogram, summary, metadata
    }
    private enum DataField: String { case dataPoints, aggregationTemporality, isMonotonic }

    mutating func decodeJSON(_ request: UnsafeRawBufferPointer) throws(MalformedJSON) -> Refusals {
        let mark = builder.mark
        refusals = Refusals()
        finder.beginBatch()
        do throws(MalformedJSON) {
            let root = try JSONValue(root: request)
            for part in try root.fields(RequestField.self).elements(.resourceMetrics) {
                try decodeResourceMetrics(part)
            }
        } catch {
            builder.rollBack(to: mark)
            throw error.located(in: request)
        }
        return refusals
    }

    private mutating func decodeResourceMetrics(_ value: JSONValue) throws(MalformedJSON) {
        let fields = try value.fields(ResourceMetricsField.self)
        let resource = table.intern(
            try fields[.resource]?.fields(ResourceField.self).attributes(.attributes) ?? []
        )
        // The table keeps a slot for as long as somebody holds its object.
        defer { withExtendedLifetime(resource) {} }
        for part in try fields.elements(.scopeMetrics) {
            try decodeScopeMetrics(part, resource: resource.slot)
        }
    }

    private mutating func decodeScopeMetrics(_ value: JSONValue, resource: UInt32) throws(MalformedJSON) {
        let fields = try value.fields(ScopeMetricsField.self)
        var scope = Scope(schemaURL: try fields.string(.schemaUrl))
        if let inner = try fields[.scope]?.fields(ScopeField.self) {
            scope.name = try inner.string(.name)
            scope.version = try inner.string(.version)
            scope.attributes = table.intern(try inner.attributes(.attributes))
        }
        for metric in try fields.elements(.metrics) { try decodeMetric(metric, scope, resource: resource) }
    }

    private mutating func decodeMetric(
        _ value: JSONValue,
        _ scope: Scope,
        resource: UInt32
    ) throws(MalformedJSON) {
        let fields = try value.fields(MetricField.self)
        var identity = MetricIdentity(
            scope: scope,
            name: try fields.string(.name),
            unit: try fields.string(.unit),
            kind: .gauge
        )
        var said = MetricNotes(description: try fields.string(.description))
        for entry in try fields.attributes(.metadata) { said.note(metadata: entry) }
        guard let chosen = fields.last(of: .gauge, .sum, .histogram, .exponentialHistogram, .summary) else {
            return
        }
        identity.kind =
            switch chosen.field {
            case .sum: .sum
            case .histogram: .histogram
            case .exponentialHistogram: .exponentialHistogram
            case .summary: .summary
            default: .gauge
            }
        let data = try chosen.value.fields(DataField.self)
        let hasNone = identity.kind == .gauge || identity.kind == .summary
        if !hasNone {
            let number = try data[.aggregationTemporality]?.enumeration() ?? 0
            identity.temporality = UInt8(exactly: number).flatMap(Temporality.init) ?? .unspecified
        }
        if identity.kind == .sum { identity.isMonotonic = try data[.isMonotonic]?.bool() ?? false }
        let metric = table.metric(identity, said)
        defer { withExtendedLifetime(metric) {} }
        let context = PointContext(
            resource: resource,
            metric: metric.slot,
            hasTemporality: hasNone || identity.temporality != .unspecified
        )
        for point in try data.elements(.dataPoints) {
            switch identity.kind {
            case .gauge, .sum: try decodeNumber(point, context)
            case .histogram: try decodeHistogram(point, context)
            case .exponentialHistogram: try decodeExponential(point, context)
            case .summary: try decodeSummary(point, context)
            }
        }
    }
}
