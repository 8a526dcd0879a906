public import PhoenixModel

/// Decodes the expositions of one target in place into batches, scrape after scrape.
///
/// Lines that were there before are recognised by their bytes; only those not seen before are parsed and relabelled.
/// A scrape is taken whole or not at all. What it no longer holds ends with a point without a value. Belongs to one task
/// at a time.
///
/// Sources: Prometheus docs/instrumenting/exposition_formats.md, OpenMetrics 1.0, Prometheus scrape/scrape.go;
/// OpenTelemetry compatibility/prometheus_and_openmetrics.md, "Prometheus to OTLP".
public final class ScrapeDecoder {
    /// How samples become points.
    public struct Options: Sendable {
        public var rewriting: ScrapeRewriting
        public var origin = ScrapeOrigin()
        public var limits = ScrapeLimits()
        /// Whether samples keep the times that the target gives them.
        public var honorsTimestamps = true
        /// Whether series with times of their own end when they are missed.
        public var tracksTimestamps = false
        public init(_ rewriting: ScrapeRewriting) { self.rewriting = rewriting }
    }
    private var reader: TargetReader

    /// A decoder whose new series go to a lane of their own.
    public init(table: SeriesTable, lane: String, _ options: Options) {
        reader = TargetReader(table, lane, options)
    }
    deinit { reader.free() }

    /// Takes a response. `time` is when the scrape began, in nanoseconds since 1970.
    public func decode(
        _ body: UnsafeRawBufferPointer,
        as syntax: ExpositionSyntax,
        at time: UInt64
    ) -> ScrapeOutcome {
        reader.read(body, syntax, at: time)
    }
    /// The ends of all series: there was no response, or the target is gone.
    public func lost(at time: UInt64) -> [MetricBatch] { reader.lost(at: time) }

    /// What the scraper itself says of the target: gauges of the target's resource and labels.
    public func report(_ figures: [ScrapeFigure], at time: UInt64) -> MetricBatch {
        reader.report(figures, at: time)
    }
    /// Ends of what `report` said.
    public func endReport(at time: UInt64) -> MetricBatch? { reader.endReport(at: time) }
    /// What would be ended by both: for who scrapes the target from now on with a decoder of its own.
    public var open: OpenSeries { reader.open }
}

/// One of `up` and its kin.
public struct ScrapeFigure: Sendable, Hashable {
    public var name: String
    public var help: String
    /// As OpenTelemetry writes units.
    public var unit: String
    public var value: Double
    public init(_ name: String, _ value: Double, unit: String = "", _ help: String) {
        (self.name, self.value, self.unit, self.help) = (name, value, unit, help)
    }
}
