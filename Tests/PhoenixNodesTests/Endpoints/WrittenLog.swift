import Logging
import PhoenixModel

/// A log that is kept, with its metadata behind each message.
struct WrittenLog: LogHandler {
    let lines = Shared()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
        lines.append((["\(event.level) \(event.message)"] + pairs).joined(separator: " "))
    }

    final class Shared: Sendable {
        private let kept = Lock([String]())
        func append(_ line: String) { kept.withLock { $0.append(line) } }
        func withLock<Result>(_ body: ([String]) -> Result) -> Result { kept.withLock { body($0) } }
    }
}
