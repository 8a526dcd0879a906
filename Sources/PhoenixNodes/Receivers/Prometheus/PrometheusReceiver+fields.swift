public import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

extension PrometheusReceiver.Config {
    public static let fields: [Field<Self>] = targetFields + requestFields + readingFields + limitFields

    private static let targetFields: [Field<Self>] = [
        Field("job_name", \.jobName, "The label `job` of every series; the node's id where it is left out."),
        Field(
            "targets",
            \.targets,
            "Addresses to scrape, as `host:port`: a short form of `static_configs` without labels."
        ),
        Field("static_configs", \.staticConfigs, "Groups of addresses with the labels that they share."),
        Field(
            "file_sd_configs",
            \.fileSDConfigs,
            "Files that hold such groups, watched while the graph runs."
        ),
        Field(
            "http_sd_configs",
            \.httpSDConfigs,
            "Addresses that answer such groups in JSON, asked again and again."
        ),
        Field(
            "dns_sd_configs",
            \.dnsSDConfigs,
            "Names whose records in the domain name system are targets, asked for again and again."
        ),
        Field(
            "relabel_configs",
            \.relabelConfigs,
            "Rules for the labels of targets, those that begin with `__` among them; applied before a target is scraped."
        ),
    ]
    private static let requestFields: [Field<Self>] = [
        Field(
            "scrape_interval",
            \.scrapeInterval,
            in: .milliseconds(10)...(.seconds(86_400)),
            "The time between two scrapes of a target; targets are spread over it."
        ),
        Field(
            "scrape_timeout",
            \.scrapeTimeout,
            in: .milliseconds(1)...(.seconds(86_400)),
            "How long a scrape may take; no longer than the interval, which shortens it where it is left out."
        ),
        Field("metrics_path", \.metricsPath, "The path that is scraped."),
        Field("scheme", \.scheme, "How targets are spoken to."),
        Field("params", \.params, "Parameters of the query, each with a list of values."),
        Field("enable_compression", \.enableCompression, "Whether answers may be compressed."),
        Field("follow_redirects", \.followRedirects, "Whether redirections are followed, five at most."),
    ]
    private static let readingFields: [Field<Self>] = [
        Field(
            "honor_labels",
            \.honorLabels,
            "Whether a scraped label wins over the target's of the same name; else it is renamed to `exported_…`."
        ),
        Field(
            "honor_timestamps",
            \.honorTimestamps,
            "Whether samples keep the times that the target gives them."
        ),
        Field(
            "track_timestamps_staleness",
            \.trackTimestampsStaleness,
            "Whether series with times of their own end when a scrape no longer has them."
        ),
        Field(
            "metric_relabel_configs",
            \.metricRelabelConfigs,
            "Rules for the labels of samples, the name among them as `__name__`."
        ),
        Field(
            "scrape_native_histograms",
            \.scrapeNativeHistograms,
            "Whether targets are asked for protobuf first: it alone has native histograms, which become exponential ones. Of a "
                + "histogram that is both, the native one is taken."
        ),
        Field(
            "fallback_scrape_protocol",
            \.fallbackScrapeProtocol,
            "How an answer without a known content-type is read; such a scrape fails where this is `none`."
        ),
        Field(
            "extra_scrape_metrics",
            \.extraScrapeMetrics,
            "Whether `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` are told too."
        ),
    ]
    private static let limitFields: [Field<Self>] = [
        Field(
            "body_size_limit",
            \.bodySizeLimit,
            "An answer of so many bytes, uncompressed, fails the scrape; 0 stands for 1GiB."
        ),
        Field(
            "sample_limit",
            \.sampleLimit,
            in: 0...,
            "More samples than this, after relabelling, fail the scrape; 0 is no limit."
        ),
        Field(
            "label_limit",
            \.labelLimit,
            in: 0...,
            "A sample with more labels than this, its name among them, fails the scrape; 0 is no limit."
        ),
        Field(
            "label_name_length_limit",
            \.labelNameLengthLimit,
            in: 0...,
            "A label name of more bytes than this fails the scrape; 0 is no limit."
        ),
        Field(
            "label_value_length_limit",
            \.labelValueLengthLimit,
            in: 0...,
            "A label value of more bytes than this fails the scrape; 0 is no limit."
        ),
        Field(
            "target_limit",
            \.targetLimit,
            in: 0...,
            "More targets than this, and none of them is scraped with success; 0 is no limit."
        ),
    ]

    public func check(_ marks: FieldMarks, _ report: inout Report) {
        if marks.fields["scrape_timeout"] != nil, scrapeTimeout > scrapeInterval {
            report.add(
                at: marks["scrape_timeout"],
                "`scrape_timeout` (\(scrapeTimeout.text)) is longer than `scrape_interval` (\(scrapeInterval.text))",
                mend: "lower `scrape_timeout` or raise `scrape_interval`"
            )
        }
        // What rules make of an address is judged when they were applied: for each target, while the graph runs.
        if relabelConfigs.isEmpty {
            check(targets, at: marks["targets"], &report)
            check(staticConfigs.flatMap(\.targets), at: marks["static_configs"], &report)
        }
        if groups.isEmpty, discoveries.isEmpty {
            report.add(
                at: marks.node,
                "there is nothing to scrape",
                mend:
                    "name addresses in `targets`, `static_configs`, `file_sd_configs`, `http_sd_configs` or `dns_sd_configs`"
            )
        }
    }

    private func check(_ addresses: [String], at mark: Mark, _ report: inout Report) {
        for address in addresses {
            guard let flaw = ScrapeTarget.flaw(ofAddress: address) else { continue }
            report.add(
                at: mark,
                "`\(address)` \(flaw)",
                mend: "write `host:port`, or make it one by `relabel_configs`"
            )
        }
    }

    /// All groups that are written in the graph.
    var groups: [ScrapeGroup] { (targets.isEmpty ? [] : [ScrapeGroup(targets)]) + staticConfigs }
    /// All sources of targets that change.
    var discoveries: [any TargetDiscovery] {
        fileSDConfigs.map { FileDiscovery($0) as any TargetDiscovery }
            + httpSDConfigs.map { HTTPDiscovery($0) as any TargetDiscovery }
            + dnsSDConfigs.map { DNSDiscovery($0) as any TargetDiscovery }
    }
    /// The timeout that holds where none is written.
    var effectiveTimeout: Duration { min(scrapeTimeout, scrapeInterval) }
    var bodyLimit: Int { bodySizeLimit.bytes == 0 ? 1 << 30 : bodySizeLimit.bytes }
    var limits: ScrapeLimits {
        var limits = ScrapeLimits()
        (limits.samples, limits.labels) = (sampleLimit, labelLimit)
        (limits.labelNameLength, limits.labelValueLength) = (labelNameLengthLimit, labelValueLengthLimit)
        return limits
    }
    func rewriting(_ targetLabels: LabelSet) -> ScrapeRewriting {
        let rules = metricRelabelConfigs
        var rewriting = ScrapeRewriting(targetLabels, honorsLabels: honorLabels)
        if !rules.isEmpty { rewriting.relabel = { rules.apply(to: $0) } }
        return rewriting
    }

    /// What a scraper says of itself: that of Prometheus 3, since names in UTF-8 are read here too.
    func headers(timeout: Duration) -> [String: String] {
        let protobuf =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
        return [
            "accept": (scrapeNativeHistograms ? protobuf : "")
                + "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "accept-encoding": enableCompression ? "gzip" : "identity",
            "user-agent": "phoenix/\(Version.current)",
            "x-prometheus-scrape-timeout-seconds": timeout.secondsText,
        ]
    }
}

extension Duration {
    /// The seconds as they are written in headers: `10`, `0.5`.
    var secondsText: String {
        let seconds = inSeconds
        return seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
    }
}
