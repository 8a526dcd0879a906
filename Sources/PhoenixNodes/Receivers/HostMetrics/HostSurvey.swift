import PhoenixModel

/// One host over time: what was read of it and its processes, as points.
///
/// Reads files and knows no task: whoever calls decides when, and how much at once.
struct HostSurvey: Sendable {
    /// What goes from a node to its heir.
    struct Memory: Sendable {
        /// nil before the first report.
        var host: HostEntity?
        var roster = ProcessRoster()
        /// Read once, since the kernel computes it anew from a clock that is corrected.
        var bootTime: UInt64?
    }
    /// What befell, for counters.
    struct Counts: Sendable, Equatable {
        struct Failure: Sendable, Hashable {
            var scraper: HostScraper
            var reason: HostFileFailure
        }
        var failures: [Failure: Int] = [:]
        /// Processes past the limit.
        var overLimit = 0
        /// Points for which the series table had no room.
        var refused = 0

        fileprivate mutating func note(_ scraper: HostScraper, _ failures: [HostFileFailure: Int]) {
            for (reason, count) in failures {
                self.failures[Failure(scraper: scraper, reason: reason), default: 0] += count
            }
        }
    }
    /// Names of a directory of the kernel's that are looked at, at most: more processes than any kernel allows by default.
    private static let mostNames = 1 << 17

    let config: HostMetrics.Config
    private let files: any HostFiles
    private let table: SeriesTable
    private let lane: String
    var memory = Memory()
    private(set) var counts = Counts()
    private var reader: ProcessReader?

    init(_ config: HostMetrics.Config, _ files: any HostFiles, _ table: SeriesTable, lane: String) {
        (self.config, self.files, self.table, self.lane) = (config, files, table, lane)
    }

    /// Takes what was counted since the last time.
    mutating func takeCounts() -> Counts {
        defer { counts = Counts() }
        return counts
    }

    /// What one scraper tells of the host.
    mutating func report(_ scraper: HostScraper, at now: UInt64) -> MetricBatch.Parts {
        var destination = HostEntity.Destination(table, lane: lane)
        var scraping = HostScraping(config, files)
        if memory.bootTime == nil { memory.bootTime = scraping.bootTime() }
        do throws(HostFileFailure) {
            var readings = try scraping.readings(scraper)
            if scraper == .process { readings += processStates() }
            append(readings, of: scraper, at: now, to: &destination)
        } catch {
            counts.note(scraper, [error: 1])
        }
        counts.note(scraper, scraping.failures)
        return taken(destination)
    }
    private mutating func append(
        _ readings: [HostReading],
        of scraper: HostScraper,
        at now: UInt64,
        to destination: inout HostEntity.Destination
    ) {
        var host = memory.host ?? HostEntity([], start: memory.bootTime ?? 0, .sinceLastReport)
        host.append(readings, of: scraper, at: now, to: &destination)
        memory.host = host
    }
    private func processStates() -> [HostReading] {
        memory.roster.states.sorted { $0.key < $1.key }.map { state, count in
            HostReading(.processCount, count, [Attribute("process.state", state)])
        }
    }
    private mutating func taken(_ destination: HostEntity.Destination) -> MetricBatch.Parts {
        counts.refused += destination.refused
        return destination.parts
    }

    // MARK: Processes

    /// The numbers of all processes, the lowest first; nil where they cannot be read.
    mutating func beginProcesses() -> [Int64]? {
        if memory.bootTime == nil { memory.bootTime = HostScraping(config, files).bootTime() }
        do throws(HostFileFailure) {
            let names = try files.names(in: "/proc", limit: Self.mostNames)
            memory.roster.beginRound()
            reader = ProcessReader(files)
            return names.compactMap { Int64($0) }.filter { $0 > 0 }.sorted()
        } catch {
            counts.note(.process, [error: 1])
            return nil
        }
    }
    /// What some of them do, until `isEnough`; the others stay in `pids`.
    mutating func reportProcesses(
        _ pids: inout ArraySlice<Int64>,
        at now: UInt64,
        until isEnough: (Int) -> Bool
    ) -> MetricBatch.Parts {
        var destination = HostEntity.Destination(table, lane: lane)
        guard var reader else { return destination.parts }
        var seen = 0
        while !isEnough(seen), let pid = pids.popFirst() {
            seen += 1
            do throws(HostFileFailure) {
                let sight = ProcessRoster.Sight(
                    pid: pid,
                    statistics: try reader.statistics(of: pid),
                    status: try reader.status(of: pid)
                )
                let outcome = memory.roster.see(
                    sight,
                    by: &reader,
                    config.process,
                    bootTime: memory.bootTime,
                    at: now,
                    to: &destination
                )
                if outcome == .overLimit { counts.overLimit += 1 }
            } catch {
                // One whose files are gone ended meanwhile.
                if error != .missing { memory.roster.note(pid) }
                counts.note(.process, [error: 1])
            }
        }
        self.reader = reader
        return taken(destination)
    }
    /// Ends those that were not seen, and tells how many there are.
    mutating func endProcesses(at now: UInt64) -> [MetricBatch.Parts] {
        var destination = HostEntity.Destination(table, lane: lane)
        memory.roster.endRound(at: now, to: &destination)
        counts.note(.process, reader?.failures ?? [:])
        reader = nil
        return [taken(destination), report(.process, at: now)]
    }
}
