import PhoenixGraph
import PhoenixModel

/// `optimization_mode.yaml` as it is written, and what of its older forms says the same.
///
/// The oldest says a mode only; the Go actuator's calls it `optimization_mode` and the version `version`; the template's
/// keeps the mode under `mode_config` and the rest under `meta`. Keys that nobody knows are left alone.
struct ControlFile: Sendable, Equatable {
    struct Metrics: Sendable, Equatable {
        var full = 0.0
        var optimized = 0.0
        var experimental = 0.0
        /// clamp(1 − optimized/full, 0, 1).
        var costReductionRatio: Double { full > 0 ? min(max(1 - optimized / full, 0), 1) : 0 }
    }
    struct Thresholds: Sendable, Equatable {
        var conservativeMaximum: Double
        var aggressiveMinimum: Double
    }
    var mode: Mode
    /// 0 where the file has none.
    var version: UInt64 = 0
    var correlationID = ""
    var reason = ""
    /// When it was written; 0 where the file does not say.
    var updatedUnixNano: UInt64 = 0
    var changedUnixNano: UInt64 = 0
    /// By the name of the pipeline; only those that the file names.
    var exposure: [String: Bool] = [:]
    var metrics = Metrics()
    var thresholds: Thresholds?

    /// The flags of `pipelines:`, in the order in which they are written.
    private static let flags = [
        ("full_fidelity_enabled", PipelineName.full), ("optimized_enabled", PipelineName.optimized),
        ("experimental_enabled", PipelineName.experimental),
    ]

    // MARK: - reading

    /// Reads a text; throws everything that is wrong with it, each with its line and column.
    init(_ text: String, file: String) throws(GraphRefusal) {
        let tree = try YAMLFile.read(text, file: file)
        var report = Report()
        guard let contents = Self(tree, file: file, &report) else {
            throw GraphRefusal(report.diagnostics, files: [file], sources: [file: text])
        }
        self = contents
    }
    init(_ mode: Mode) { self.mode = mode }

    private init?(_ tree: ConfigTree, file: String, _ report: inout Report) {
        guard case .map = tree.value else {
            report.add(
                at: tree.mark,
                "the control file says no mode",
                mend: "write `optimization_profile: balanced`, or conservative or aggressive"
            )
            return nil
        }
        // Where a key may stand: at the top, or in the template's two parts.
        let places = [tree] + [tree["mode_config"], tree["meta"]].compactMap { $0 }
        func find(_ names: String...) -> ConfigTree? {
            for place in places {
                for name in names { if let found = place[name] { return found } }
            }
            return nil
        }
        guard let written = find("optimization_profile", "optimization_mode") else {
            report.add(
                at: tree.mark,
                "the control file says no mode",
                mend: "add `optimization_profile: balanced`, or conservative or aggressive"
            )
            return nil
        }
        let mode = Mode.decode(written, &report)
        let exposure = find("pipelines").map { Self.exposure($0, &report) } ?? [:]
        guard let mode, report.diagnostics.isEmpty else { return nil }
        self.init(mode)
        self.exposure = exposure
        // What is not the mode is never a reason to refuse it: old writers were free with the rest. A version that
        // leaves no room for the next one is: versions would fall, or end.
        func text(_ tree: ConfigTree?) -> String {
            if case .scalar(let text, _)? = tree?.value { text } else { "" }
        }
        let counted = find("config_version", "version")
        if let counted, Self.isTooLarge(text(counted)) {
            report.add(
                at: counted.mark,
                "the version \(text(counted)) leaves no room for the next one",
                mend: "write a smaller one, such as 1"
            )
            return nil
        }
        version = UInt64(text(counted)) ?? 0
        correlationID = text(find("correlation_id"))
        reason = text(find("trigger_reason", "reason"))
        updatedUnixNano = RFC3339.unixNano(text(find("last_updated"))) ?? 0
        changedUnixNano = RFC3339.unixNano(text(find("last_profile_change_timestamp"))) ?? 0
    }

    private static func exposure(_ tree: ConfigTree, _ report: inout Report) -> [String: Bool] {
        var exposure: [String: Bool] = [:]
        for (key, pipeline) in flags {
            guard let flag = tree[key] else { continue }
            exposure[pipeline] = Bool.decode(flag, &report)
        }
        return exposure
    }

    /// The largest version that a text seems to have, though it cannot be read: versions must not fall for that.
    static func version(inBroken text: String) -> UInt64 {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            let key = parts[0].filter { !$0.isWhitespace }
            guard key == "config_version" || key == "version" else { return nil }
            let text = parts[1].prefix { $0 != "#" }.filter { !$0.isWhitespace && $0 != "\"" }
            return isTooLarge(text) ? nil : UInt64(text)
        }.max() ?? 0
    }
    /// Whether a version is a number, but beyond what one process after another could count up from.
    private static func isTooLarge(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
            && UInt64(text).map { $0 > 1 << 62 } ?? true
    }

    /// The same as a message.
    func change(from path: String) -> ModeChange {
        ModeChange(
            mode,
            because: reason.isEmpty ? "\(path) says so" : reason,
            correlationID: correlationID,
            version: version,
            timeUnixNano: updatedUnixNano,
            exposure: exposure
        )
    }

    // MARK: - writing

    /// The file's text.
    var text: String { YAMLFile.write(tree) }

    private var tree: ConfigTree {
        let place = Mark(file: "", line: 1, column: 1)
        func entry(_ key: String, _ value: ConfigTree.Value) -> ConfigTree.Entry {
            .init(key: key, keyMark: place, value: ConfigTree(value, at: place))
        }
        func plain(_ key: String, _ text: String) -> ConfigTree.Entry {
            entry(key, .scalar(text, isPlain: true))
        }
        func quoted(_ key: String, _ text: String) -> ConfigTree.Entry {
            entry(key, .scalar(text, isPlain: false))
        }
        var entries = [
            plain("optimization_profile", mode.rawValue),
            plain("config_version", String(version)),
            quoted("correlation_id", correlationID),
            quoted("last_updated", RFC3339.text(unixNano: updatedUnixNano)),
            quoted("trigger_reason", reason),
            entry(
                "current_metrics",
                .map([
                    plain("full_ts", whole(metrics.full)), plain("optimized_ts", whole(metrics.optimized)),
                    plain("experimental_ts", whole(metrics.experimental)),
                    plain("cost_reduction_ratio", "\((metrics.costReductionRatio * 1e4).rounded() / 1e4)"),
                ])
            ),
        ]
        if let thresholds {
            let limits = [
                plain("conservative_max_ts", whole(thresholds.conservativeMaximum)),
                plain("aggressive_min_ts", whole(thresholds.aggressiveMinimum)),
            ]
            entries.append(entry("thresholds", .map(limits)))
        }
        let flags = Self.flags.map { plain($0.0, exposure[$0.1] ?? true ? "true" : "false") }
        entries.append(entry("pipelines", .map(flags)))
        entries.append(
            quoted("last_profile_change_timestamp", RFC3339.text(unixNano: changedUnixNano))
        )
        return ConfigTree(.map(entries), at: place)
    }
    private func whole(_ number: Double) -> String {
        Int(exactly: number.rounded()).map(String.init) ?? "0"
    }
}
