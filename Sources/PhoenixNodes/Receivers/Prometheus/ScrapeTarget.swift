import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// A target as it is scraped, made out of discovered labels: pure.
///
/// Source: Prometheus scrape/target.go, `PopulateLabels`.
struct ScrapeTarget: Sendable, Hashable {
    /// The labels that its series get; those that begin with `__` are gone.
    var labels: LabelSet
    var url: String
    var origin: ScrapeOrigin
    var interval: Duration
    var timeout: Duration

    /// Why a group's member is no target.
    struct Flaw: Error, Hashable, CustomStringConvertible {
        var description: String
    }

    /// The target of these labels; nil where `relabel` dropped it.
    static func make(
        _ address: String,
        _ groupLabels: [String: String],
        _ config: PrometheusReceiver.Config,
        job: String,
        relabel: (LabelSet) -> LabelSet? = { $0 }
    ) throws(Flaw) -> ScrapeTarget? {
        var labels = LabelSet()
        labels["job"] = job
        labels["__address__"] = address
        labels["__scheme__"] = config.scheme.rawValue
        labels["__metrics_path__"] = config.metricsPath
        labels["__scrape_interval__"] = config.scrapeInterval.text
        labels["__scrape_timeout__"] = config.effectiveTimeout.text
        for (name, values) in config.params { labels["__param_" + name] = values.first?.value ?? "" }
        for (name, value) in groupLabels { labels[name] = value }
        guard let relabeled = relabel(labels) else { return nil }
        return try ScrapeTarget(relabeled, config)
    }

    private init(_ labels: LabelSet, _ config: PrometheusReceiver.Config) throws(Flaw) {
        let address = labels["__address__"]
        if let flaw = Self.flaw(ofAddress: address) { throw Flaw(description: "`\(address)` \(flaw)") }
        let (interval, timeout) = (labels["__scrape_interval__"], labels["__scrape_timeout__"])
        guard let interval = Duration(written: interval), interval > .zero else {
            throw Flaw(description: "`__scrape_interval__` of `\(address)` is `\(interval)`, no duration")
        }
        guard let timeout = Duration(written: timeout), timeout > .zero, timeout <= interval else {
            throw Flaw(
                description: "`__scrape_timeout__` of `\(address)` is `\(timeout)`, not within its interval"
            )
        }
        let (scheme, path) = (labels["__scheme__"], labels["__metrics_path__"])
        guard scheme == "http" || scheme == "https" else {
            throw Flaw(description: "`__scheme__` of `\(address)` is `\(scheme)`, neither http nor https")
        }
        var query: [String] = []
        for (name, values) in config.params.sorted(by: { $0.key < $1.key }) {
            // Relabelling may change the first value of each parameter, as in Prometheus.
            let first = labels["__param_" + name]
            query += ((first.isEmpty ? [] : [first]) + values.dropFirst().map(\.value)).map {
                "\(Self.encoded(name))=\(Self.encoded($0))"
            }
        }
        for label in labels.labels where label.name.hasPrefix("__param_") {
            let name = String(label.name.dropFirst(8))
            if config.params[name] == nil {
                query.append("\(Self.encoded(name))=\(Self.encoded(label.value))")
            }
        }
        url = "\(scheme)://\(address)\(path.hasPrefix("/") ? path : "/" + path)"
        if !query.isEmpty { url += (path.contains("?") ? "&" : "?") + query.joined(separator: "&") }
        origin = Self.origin(scheme, address)
        (self.interval, self.timeout) = (interval, timeout)
        self.labels = labels
        self.labels.keep { !$0.name.hasPrefix("__") }
        if self.labels["instance"].isEmpty { self.labels["instance"] = address }
    }

    /// What is wrong with an address, in words that follow it; nil where nothing is.
    static func flaw(ofAddress address: String) -> String? {
        if address.isEmpty { return "is empty" }
        if address.contains("://") { return "has a scheme: `scheme` is a setting of its own" }
        if address.contains("/") { return "has a path: `metrics_path` is a setting of its own" }
        if address.contains(where: { $0.isWhitespace || "@?#".contains($0) }) { return "is no address" }
        do throws(WebURL.Flaw) { _ = try WebURL("http://\(address)") } catch { return "\(error)" }
        return nil
    }
    private static func origin(_ scheme: String, _ address: String) -> ScrapeOrigin {
        // `[::1]:9100` has colons of its own.
        let end = address.lastIndex(of: "]") ?? address.startIndex
        guard let colon = address[end...].lastIndex(of: ":") else {
            return ScrapeOrigin(scheme: scheme, host: address, port: scheme == "https" ? "443" : "80")
        }
        let host = address[..<colon].filter { $0 != "[" && $0 != "]" }
        return ScrapeOrigin(scheme: scheme, host: host, port: String(address[address.index(after: colon)...]))
    }
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isPlain =
                (48...57).contains(byte) || (97...122).contains(byte | 0x20)
                || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~")].contains(byte)
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    /// When within its interval the target is scraped: the same again after a restart, and spread over the interval.
    func offset(seed: UInt64) -> Duration {
        // FNV-1a: the same in every process, which Swift's own hash is not.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in (labels.description + url).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var random = SeededGenerator(seed: hash ^ seed)
        let share = Double(random.next() >> 11) / Double(1 << 53)
        return .nanoseconds(Int64(Double(interval.nanoseconds) * share))
    }
}
