/// The instrumentation scope of a metric.
public struct Scope: Sendable, Hashable {
    public var name: String
    public var version: String
    public var schemaURL: String
    public var attributes: AttributeSet
    public init(
        name: String = "",
        version: String = "",
        schemaURL: String = "",
        attributes: AttributeSet = .empty
    ) {
        (self.name, self.version, self.schemaURL, self.attributes) = (name, version, schemaURL, attributes)
    }
}

extension Scope {
    /// By the bytes of the texts: two that only look alike, as composed and decomposed letters do, are two.
    public static func == (left: Self, right: Self) -> Bool {
        left.name.hasSameBytes(as: right.name) && left.version.hasSameBytes(as: right.version)
            && left.schemaURL.hasSameBytes(as: right.schemaURL) && left.attributes == right.attributes
    }
    public func hash(into hasher: inout Hasher) {
        for text in [name, version, schemaURL] { text.hashBytes(into: &hasher) }
        hasher.combine(attributes)
    }
}

extension String {
    /// Swift's own `==` takes canonically equivalent texts for equal; identities on the wire are bytes.
    fileprivate func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
    fileprivate func hashBytes(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xff as UInt8)
    }
}

/// The five kinds of OpenTelemetry metric points.
public enum PointKind: UInt8, Sendable, Hashable, CaseIterable {
    case gauge, sum, histogram, exponentialHistogram, summary
}

/// What successive points of a stream mean to each other.
public enum Temporality: UInt8, Sendable, Hashable {
    /// Of kinds that have none: gauges and summaries.
    case unspecified
    /// Each point counts since the one before.
    case delta
    /// Each point counts since the stream's start.
    case cumulative
}

/// What identifies a metric beside its attributes; the description does not (OpenTelemetry data model, identity).
public struct MetricIdentity: Sendable, Hashable {
    public var scope: Scope
    public var name: String
    public var unit: String
    public var kind: PointKind
    public var temporality: Temporality
    public var isMonotonic: Bool
    public init(
        scope: Scope = Scope(),
        name: String,
        unit: String = "",
        kind: PointKind,
        temporality: Temporality = .unspecified,
        isMonotonic: Bool = false
    ) {
        (self.scope, self.name, self.unit, self.kind) = (scope, name, unit, kind)
        (self.temporality, self.isMonotonic) = (temporality, isMonotonic)
    }
}

extension MetricIdentity {
    /// By the bytes of the texts, as `Scope` is compared.
    public static func == (left: Self, right: Self) -> Bool {
        left.kind == right.kind && left.temporality == right.temporality
            && left.isMonotonic == right.isMonotonic && left.name.hasSameBytes(as: right.name)
            && left.unit.hasSameBytes(as: right.unit) && left.scope == right.scope
    }
    public func hash(into hasher: inout Hasher) {
        for text in [name, unit] { text.hashBytes(into: &hasher) }
        hasher.combine(scope)
        hasher.combine(kind)
        hasher.combine(temporality)
        hasher.combine(isMonotonic)
    }
}

/// What senders say of a metric that does not identify it.
public struct MetricNotes: Sendable, Equatable {
    /// The metadata that tells the type which a metric had in Prometheus (OpenTelemetry, Prometheus compatibility).
    public static let prometheusTypeKey = "prometheus.type"

    public var description: String
    /// Whether Prometheus knew no type: it is exposed as such again.
    public var isUntyped: Bool
    public init(description: String = "", isUntyped: Bool = false) {
        (self.description, self.isUntyped) = (description, isUntyped)
    }
    /// Takes in one entry of a metric's metadata.
    public mutating func note(metadata: Attribute) {
        if metadata.key == Self.prometheusTypeKey { isUntyped = metadata.value == .string("unknown") }
    }
    /// The longest description; one who knows the type is enough.
    mutating func formUnion(_ other: MetricNotes) {
        if other.description.utf8.count > description.utf8.count { description = other.description }
        if !other.isUntyped { isUntyped = false }
    }
}

/// A metric of a series table: equal identities of one table are the same object.
public final class Metric: Sendable {
    public let identity: MetricIdentity
    public let slot: UInt32
    let hash: UInt64
    private let notes: Lock<MetricNotes>

    init(_ identity: MetricIdentity, _ notes: MetricNotes, slot: UInt32, hash: UInt64) {
        (self.identity, self.slot, self.hash) = (identity, slot, hash)
        self.notes = Lock(notes)
    }
    public var name: String { identity.name }
    public var unit: String { identity.unit }
    public var kind: PointKind { identity.kind }
    public var temporality: Temporality { identity.temporality }
    public var isMonotonic: Bool { identity.isMonotonic }
    public var scope: Scope { identity.scope }
    /// Of the descriptions that senders gave the metric, the longest (OpenTelemetry data model, opt-in conflict rule).
    public var description: String { notes.withLock { $0.description } }
    /// What is said of the metric beside its identity.
    public var said: MetricNotes { notes.withLock { $0 } }

    func offer(_ other: MetricNotes) { notes.withLock { $0.formUnion(other) } }
    static func hash(_ identity: MetricIdentity) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(identity)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
