import Logging

/// Writes what a supervisor logs into the trace of its test.
struct TraceLog: LogHandler {
    let trace: Trace
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
        trace.note("\(event.level) \(event.message) \(event.metadata.map { "\($0)" } ?? "")")
    }
}
