public import PhoenixModel

/// Points as lines of text, for tests that read as what goes in and what comes out.
///
/// ```
/// process.cpu.time{resource: host.name=a, process.pid=1; direction=read} sum cumulative monotonic start=0s time=10s 12.5
/// process.threads{resource: host.name=a} gauge time=10s 7
/// latency{; route=/} histogram delta start=0s time=10s count=3 sum=4.5 bounds=[1, 2] buckets=[1, 1, 1] min=0.5 max=3
/// latency{} exponential delta start=0s time=10s count=3 sum=9.0 scale=0 zero=1 positive=-1:[1, 1] negative=0:[]
/// latency{} summary time=10s count=3 sum=4.5 quantiles=[0.5: 1, 0.99: 2]
/// ```
/// Times count from `origin`; without `start` a point has none. A whole number is an integer, one with a point is a
/// double, `none` says that the stream ended. Attribute values are text, or `int(5)`, `bool(true)`, `double(0.5)`;
/// text with a comma or the like is quoted. `unit=s`, `scope=name`, `version=1` (of the scope), `help=[some words]` and
/// `exemplar=[0.5, time=10s, trace=0a…, span=0a…, key=value]` may stand among the words. A line that begins with
/// `#` says nothing, an empty line ends a batch.
public enum PointText {
    /// Where the times in texts count from, in nanoseconds since 1970: where `ManualClock` begins.
    public static let origin: UInt64 = 1_704_067_200_000_000_000

    /// The batches of a text, each with the epoch of its place, from 1.
    public static func batches(_ text: String, _ table: SeriesTable) throws -> [MetricBatch] {
        var batches: [MetricBatch] = []
        var parts = MetricBatch.Parts()
        func end() {
            guard parts.count > 0 else { return }
            batches.append(MetricBatch(parts, epoch: UInt64(batches.count + 1)))
            parts = MetricBatch.Parts()
        }
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.drop { $0 == " " }
            if line.isEmpty {
                end()
            } else if !line.hasPrefix("#") {
                var parser = PointTextParser(String(line), number: index + 1)
                try parser.parse(into: &parts, table)
            }
        }
        end()
        return batches
    }
    /// A text as one batch.
    public static func batch(_ text: String, _ table: SeriesTable) throws -> MetricBatch {
        try batches(text.split(separator: "\n").joined(separator: "\n"), table).first ?? MetricBatch(.init())
    }
    /// The points of a batch, a line each, sorted.
    public static func lines(_ batch: MetricBatch, _ table: SeriesTable) -> [String] {
        PointTextPrinter(batch: batch, table: table).lines.sorted()
    }
    /// The points of a batch as one text.
    public static func text(_ batch: MetricBatch, _ table: SeriesTable) -> String {
        lines(batch, table).joined(separator: "\n")
    }
}

/// Why a line is no point.
public struct PointTextError: Error, CustomStringConvertible {
    public var line: Int
    public var message: String
    public var description: String { "line \(line): \(message)" }
}
