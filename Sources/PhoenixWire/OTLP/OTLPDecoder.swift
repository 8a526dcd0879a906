public import PhoenixModel

/// Decodes `ExportMetricsServiceRequest`s in place into batches: no object for a message, no dictionary for a point.
///
/// Belongs to one event loop. Resources, scopes, metrics and attribute sets are recognised by their bytes; only those
/// not seen before are parsed. Requests may be collected into one batch; each is added whole or, when it is malformed,
/// not at all.
///
/// Source: opentelemetry-proto, collector/metrics/v1/metrics_service.proto and metrics/v1/metrics.proto.
public final class OTLPDecoder {
    private var requests: RequestDecoder

    /// A decoder whose new series go to a lane of their own; `maximumCacheBytes` bounds what it remembers of senders.
    public init(table: SeriesTable, lane: String, maximumCacheBytes: Int = 256 << 20) {
        requests = RequestDecoder(table: table, lane: lane, maximumCacheBytes: maximumCacheBytes)
    }
    deinit { requests.free() }

    /// How many points wait to be taken.
    public var pendingPoints: Int { requests.builder.count }
    /// How many resource blocks were recognised by a template so far.
    var templateHits: Int { requests.templates.hits }

    /// Adds the points of one request; answers how many were refused and why. A malformed request adds nothing.
    public func decode(_ request: UnsafeRawBufferPointer) throws(MalformedMessage) -> Refusals {
        try requests.decode(request)
    }
    /// Adds the points of one request in OTLP/JSON, by the same rules. A malformed request adds nothing.
    public func decodeJSON(_ request: UnsafeRawBufferPointer) throws(MalformedJSON) -> Refusals {
        try requests.decodeJSON(request)
    }
    /// Adds the points of a request in either encoding.
    public func decode(
        _ request: UnsafeRawBufferPointer,
        as encoding: OTLPEncoding
    ) throws(MalformedRequest) -> Refusals {
        do {
            switch encoding {
            case .protobuf: return try decode(request)
            case .json: return try decodeJSON(request)
            }
        } catch {
            throw MalformedRequest(description: "not an ExportMetricsServiceRequest: \(error)")
        }
    }
    /// The batch of all requests decoded since the last one; nil where they held no points.
    public func takeBatch(epoch: UInt64) -> MetricBatch? { requests.builder.take(epoch: epoch) }
}

/// Why the body of a request cannot be read, for the sender.
public struct MalformedRequest: Error, Sendable, CustomStringConvertible {
    public var description: String
}
