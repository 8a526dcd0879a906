import Logging
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// Whether a target is still wanted; asked by its scraper, told by discovery.
final class TargetSwitch: Sendable {
    private enum State {
        case wanted
        /// Gone from discovery for so many of its intervals.
        case missed(Int)
        /// Its scraper has ended.
        case closed
    }
    private let state = Lock(State.wanted)

    var isClosed: Bool { state.withLock { if case .closed = $0 { true } else { false } } }
    func drop() {
        state.withLock { if case .wanted = $0 { $0 = .missed(0) } }
    }
    /// Wants the target again; false when its scraper has ended.
    func want() -> Bool {
        state.withLock { state in
            if case .closed = state { return false }
            state = .wanted
            return true
        }
    }
    enum Step { case scrape, wait, end }
    /// An interval has passed. A target that is gone ends after two of its intervals, lest another server that took it
    /// over find its series ended (Prometheus, `endOfRunStaleness`).
    func tick() -> Step {
        state.withLock { state in
            switch state {
            case .wanted: return .scrape
            case .missed(let count) where count < 2:
                state = .missed(count + 1)
                return .wait
            case .missed, .closed:
                state = .closed
                return .end
            }
        }
    }
}

/// Scrapes one target, again and again; what goes wrong with it stays with it.
struct TargetScraper: Sendable {
    let target: ScrapeTarget
    let config: PrometheusReceiver.Config
    let client: any ScrapeClient
    let context: NodeContext
    let output: Outlet<MetricBatch>
    let stop: StopSignal
    let wanted: TargetSwitch
    /// Whether there are more targets than `target_limit`: then no scrape succeeds, so that it shows.
    let isOverLimit: Lock<Bool>
    private let estate: ScrapeEstate

    init(
        _ start: TargetPool.Start,
        _ config: PrometheusReceiver.Config,
        _ world: DiscoveryWorld,
        _ output: Outlet<MetricBatch>,
        _ isOverLimit: Lock<Bool>,
        _ estate: ScrapeEstate
    ) {
        (target, wanted, self.config) = (start.target, start.wanted, config)
        (client, context, stop) = (world.client, world.context, world.stop)
        (self.output, self.isOverLimit, self.estate) = (output, isOverLimit, estate)
    }

    /// Runs until the node is stopped or the target has been gone for long enough. Throws when its points find no reader.
    func run() async throws {
        let time = context.time
        var options = ScrapeDecoder.Options(config.rewriting(target.labels))
        (options.origin, options.limits) = (target.origin, config.limits)
        (options.honorsTimestamps, options.tracksTimestamps) = (
            config.honorTimestamps, config.trackTimestampsStaleness
        )
        let decoder = ScrapeDecoder(table: context.series, lane: context.id, options)
        var health: String?
        // What was known of the target before, until a scrape says what is still true of it.
        var inherited = estate.claim(target)
        defer {
            inherited.append(decoder.open)
            estate.leave(target, inherited)
        }
        guard try await stop.sleep(for: target.offset(seed: context.seed), time) else { return }
        var next = time.monotonic
        while true {
            switch wanted.tick() {
            case .scrape: try await scrape(decoder, &health, &inherited)
            case .wait: break
            case .end:
                let ends = inherited.ends(at: time.unixNanoseconds).map { [$0] } ?? []
                inherited = OpenSeries()
                try await send(ends + decoder.lost(at: time.unixNanoseconds))
                return try await send(decoder.endReport(at: time.unixNanoseconds).map { [$0] } ?? [])
            }
            // What a slow target missed is missed: the rhythm stays.
            repeat { next += target.interval } while next <= time.monotonic
            guard try await stop.sleep(for: next - time.monotonic, time) else { return }
        }
    }
    private func send(_ batches: [MetricBatch]) async throws {
        for batch in batches where !batch.isEmpty { try await output.send(batch) }
    }

    /// One scrape; `health` is what was wrong last time, and those `inherited` end of which it does not tell.
    private func scrape(
        _ decoder: ScrapeDecoder,
        _ health: inout String?,
        _ inherited: inout OpenSeries
    ) async throws {
        let (began, start) = (context.time.unixNanoseconds, context.time.monotonic)
        var report = ScrapeReport(config, target)
        var (batches, problem): ([MetricBatch], String?) = ([], nil)
        do {
            guard let (body, syntax) = try await fetch() else { return }
            let outcome = body.withUnsafeBytes { decoder.decode($0, as: syntax, at: began) }
            report.note(outcome, bytes: body.count)
            for reason in ScrapeDrop.allCases {
                context.vitals.drop(outcome.drops[reason], reason: reason.label)
            }
            (batches, problem) = (outcome.batches, outcome.failure.map { "\($0)" })
        } catch let failure as ScrapeProblem {
            if case .tooLarge = failure { report.bodyBytes = -1 }
            (batches, problem) = (decoder.lost(at: began), "\(failure)")
        }
        report.duration = context.time.monotonic - start
        tell(problem, &health)
        batches.append(decoder.report(report.figures, at: began))
        estate.note(batches)
        if !inherited.isEmpty {
            inherited.remove(Set(batches.flatMap(\.allSeries)))
            // Before the rest, lest two series stand for one moment where one took the other's place.
            if let ends = inherited.ends(at: began) { batches.insert(ends, at: 0) }
        }
        try await send(batches)
        inherited = OpenSeries()
    }
    private func tell(_ problem: String?, _ health: inout String?) {
        let result = problem == nil ? "success" : "failure"
        context.vitals.counter("phoenix_scrapes_total", ["result": result], "Scrapes, by how they ended.")
            .add()
        guard problem != health else { return }
        health = problem
        let metadata: Logger.Metadata = ["node": "\(context.id)", "url": "\(WebURL.shown(target.url))"]
        if let problem {
            context.logger.warning("the target is down: \(problem)", metadata: metadata)
        } else {
            context.logger.info("the target is up again", metadata: metadata)
        }
    }

    /// The page and how it is written; nil when the node is stopped meanwhile.
    private func fetch() async throws -> ([UInt8], ExpositionSyntax)? {
        let limit = config.bodyLimit
        if isOverLimit.withLock({ $0 }) { throw ScrapeProblem.targetLimit(config.targetLimit) }
        guard case .admit = context.gate.admit(bytes: 0) else { throw ScrapeProblem.noMemory }
        let request = ScrapeRequest(
            url: target.url,
            headers: config.headers(timeout: target.timeout),
            bodyLimit: limit - 1,
            timeout: target.timeout
        )
        guard let response = try await client.get(request, unless: stop, context.time) else { return nil }
        guard response.status == 200 else { throw ScrapeProblem.status(response.status) }
        let type = response.headers["content-type"]
        guard let syntax = ExpositionSyntax(contentType: type) ?? config.fallbackScrapeProtocol.syntax else {
            throw ScrapeProblem.contentType(type)
        }
        return (try ContentCoding.decoded(response, limit: limit - 1), syntax)
    }
}

/// What the scraper says of its target: `up` and its kin.
struct ScrapeReport: Sendable {
    var isUp = false
    var duration = Duration.zero
    var scraped = 0
    var kept = 0
    var added = 0
    /// Uncompressed; -1 over the limit, 0 without an answer.
    var bodyBytes = 0
    private let extra: (timeout: Duration, sampleLimit: Int)?

    init(_ config: PrometheusReceiver.Config, _ target: ScrapeTarget) {
        extra = config.extraScrapeMetrics ? (target.timeout, config.sampleLimit) : nil
    }
    mutating func note(_ outcome: ScrapeOutcome, bytes: Int) {
        (isUp, bodyBytes) = (outcome.failure == nil, bytes)
        (scraped, kept, added) = (outcome.scraped, outcome.kept, outcome.added)
    }

    var figures: [ScrapeFigure] {
        var figures = [
            ScrapeFigure("up", isUp ? 1 : 0, "Whether the scrape was successful."),
            ScrapeFigure(
                "scrape_duration_seconds",
                duration.inSeconds,
                unit: "s",
                "How long the scrape took."
            ),
            ScrapeFigure("scrape_samples_scraped", Double(scraped), "Samples that the target exposed."),
            ScrapeFigure(
                "scrape_samples_post_metric_relabeling",
                Double(kept),
                "Samples that metric relabelling left."
            ),
            ScrapeFigure("scrape_series_added", Double(added), "Series that the scrape before did not have."),
        ]
        guard let extra else { return figures }
        figures += [
            ScrapeFigure(
                "scrape_timeout_seconds",
                extra.timeout.inSeconds,
                unit: "s",
                "How long the scrape may take."
            ),
            ScrapeFigure(
                "scrape_sample_limit",
                Double(extra.sampleLimit),
                "The limit of samples; 0 is none."
            ),
            ScrapeFigure("scrape_body_size_bytes", Double(bodyBytes), unit: "By", "The size of the answer."),
        ]
        return figures
    }
}
