import ArgumentParser
import Logging

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How log lines look.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case text
    /// For machines: one JSON object a line.
    case json

    private static let label = "phoenix"

    /// A logger that hands its lines to a writer.
    func logger(_ level: Logger.Level, to writer: LogWriter) -> Logger {
        Logger(label: Self.label) { label in
            StreamLog(label: label, logLevel: level, line: render) { line in writer.put(line) }
        }
    }

    /// A writer to standard error.
    func writer() -> LogWriter {
        let render = render
        return LogWriter(
            write: { Terminal.write($0 + "\n", to: STDERR_FILENO) == nil },
            report: { count in
                render(
                    StreamLog.Entry(
                        time: Timestamp.now.text,
                        level: .warning,
                        label: Self.label,
                        message: count == 1 ? "a log line was dropped" : "\(count) log lines were dropped",
                        metadata: [("why", "standard error was not read, or could not be written")]
                    )
                )
            }
        )
    }

    private var render: @Sendable (StreamLog.Entry) -> String {
        switch self {
        case .text: TextLine.render
        case .json: JSONLogLine.render
        }
    }
}

/// The least level that is logged.
struct LogLevel: ExpressibleByArgument {
    var level: Logger.Level
    var defaultValueDescription: String { level.rawValue }
    static let allValueStrings = Logger.Level.allCases.map(\.rawValue)
    init(_ level: Logger.Level) { self.level = level }
    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }
}

/// Makes a line of each event.
struct StreamLog: LogHandler {
    /// What is written of an event.
    struct Entry {
        var time: String
        var level: Logger.Level
        var label: String
        var message: String
        /// Sorted by key.
        var metadata: [(key: String, value: String)]
    }
    var label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var line: @Sendable (Entry) -> String
    /// Takes a line, and does not wait until it is written.
    var put: @Sendable (_ line: String) -> Void

    init(
        label: String,
        logLevel: Logger.Level,
        line: @escaping @Sendable (Entry) -> String,
        put: @escaping @Sendable (_ line: String) -> Void
    ) {
        (self.label, self.logLevel, self.line, self.put) = (label, logLevel, line, put)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata.merging(metadataProvider?.get() ?? [:]) { _, new in new }
        all.merge(event.metadata ?? [:]) { _, new in new }
        if let error = event.error { all["error"] = "\(error)" }
        let entry = Entry(
            time: Timestamp.now.text,
            level: event.level,
            label: label,
            message: event.message.description,
            metadata: all.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        )
        put(line(entry))
    }
}

/// A line for people: `2026-01-01T00:00:00.000Z info otlp: message key=value`.
enum TextLine {
    @Sendable static func render(_ entry: StreamLog.Entry) -> String {
        let node = entry.metadata.first { $0.key == "node" }?.value
        let pairs = entry.metadata.filter { $0.key != "node" }.map { "\($0.key)=\(quotedIfNeeded($0.value))" }
        let head = "\(entry.time) \(entry.level) \(node ?? entry.label): \(entry.message)"
        return ([head] + pairs).joined(separator: " ")
    }
    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
        return isPlain ? value : JSONLine.quoted(value)
    }
}

/// One object a line; `time`, `level`, `logger` and `message` come first, metadata keep their names.
enum JSONLogLine {
    private static let own: Set<String> = ["time", "level", "logger", "message"]

    @Sendable static func render(_ entry: StreamLog.Entry) -> String {
        let head = [
            ("time", entry.time), ("level", entry.level.rawValue), ("logger", entry.label),
            ("message", entry.message),
        ]
        // A key that we use ourselves gets another name: two of a name in one object are read in two ways.
        let rest = entry.metadata.map { (own.contains($0.key) ? "metadata.\($0.key)" : $0.key, $0.value) }
        let pairs = (head + rest).map { "\(JSONLine.quoted($0.0)):\(JSONLine.quoted($0.1))" }
        return "{\(pairs.joined(separator: ","))}"
    }
}
