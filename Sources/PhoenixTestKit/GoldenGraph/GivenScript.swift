import PhoenixGraph
public import PhoenixModel

/// What a `given` receiver does, in order, read from a text.
///
/// Points as in `PointText`, an empty line ends a batch. A batch is sent once the clock has come to the newest time in it.
/// Beside points a line may say `wait 5m`, `mode aggressive` for those who follow the receiver's `mode` port, or `scrape` to
/// have written down what the exporters expose at that moment.
public struct GivenScript: Sendable {
    public enum Step: Sendable {
        case batch(MetricBatch)
        case wait(Duration)
        case mode(ModeChange)
        case scrape
    }
    public private(set) var steps: [Step] = []

    public init(_ text: String, _ table: SeriesTable) throws {
        var lines: [Substring] = []
        var epoch: UInt64 = 0
        func batch() throws {
            let batches = try PointText.batches(lines.joined(separator: "\n"), table)
            lines = []
            for batch in batches {
                epoch += 1
                steps.append(.batch(MetricBatch(batch.parts, epoch: epoch)))
            }
        }
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "wait", let duration = Duration(written: String(words[1])) {
                try batch()
                steps.append(.wait(duration))
            } else if words.count == 2, words[0] == "mode" {
                guard let mode = Mode(rawValue: String(words[1])) else {
                    throw PointTextError(line: index + 1, message: "`\(words[1])` is no mode")
                }
                try batch()
                steps.append(.mode(ModeChange(mode, because: "given")))
            } else if words == ["scrape"] {
                try batch()
                steps.append(.scrape)
            } else {
                lines.append(line)
            }
        }
        try batch()
    }
}
