import PhoenixModel

/// Which targets there are, by what the sources of targets say: event in, scrapers to start out.
struct TargetPool {
    /// A target and the switch by which its scraper is told that it is gone.
    struct Start {
        var target: ScrapeTarget
        var wanted: TargetSwitch
    }
    private var found: [Int: [ScrapeTarget]] = [:]
    private var running: [ScrapeTarget: TargetSwitch] = [:]

    /// How many targets are wanted.
    private(set) var count = 0

    /// A source names its targets, all of them. Scrapers of those that are gone are told so; one that comes back in time
    /// goes on as if nothing had been.
    mutating func update(source: Int, _ targets: [ScrapeTarget]) -> [Start] {
        found[source] = targets
        let wanted = Set(found.values.joined())
        count = wanted.count
        for (target, state) in running where !wanted.contains(target) {
            state.drop()
            if state.isClosed { running[target] = nil }
        }
        // In the order in which they are written, each once.
        var starts: [Start] = []
        for target in targets where running[target]?.want() != true {
            let start = Start(target: target, wanted: TargetSwitch())
            running[target] = start.wanted
            starts.append(start)
        }
        return starts
    }
}
