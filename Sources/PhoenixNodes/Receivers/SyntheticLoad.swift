import PhoenixModel
import PhoenixRuntime

/// How many processes each host has, over time.
struct LoadProfile: Sendable, Equatable {
    var shape = Synthetic.Shape.constant
    var base = 250
    var peak = 250
    var period = Duration.seconds(300)

    /// The processes of a host when `elapsed` has passed.
    func processes(after elapsed: Duration) -> Int {
        guard period > .zero else { return base }
        let position = elapsed.inSeconds / period.inSeconds
        let phase = position - position.rounded(.down)
        let share: Double =
            switch shape {
            case .constant: 0
            case .ramp: min(1, position)
            // A tenth of each period, after the first nine.
            case .spike: phase >= 0.9 ? 1 : 0
            // A triangle: as good as a sine to those who are to follow it, and exact.
            case .wave: phase < 0.5 ? phase * 2 : 2 - phase * 2
            }
        return base + Int((Double(peak - base) * share).rounded())
    }
}

/// The processes of imaginary hosts, and what they would report: every number follows from the seed.
///
/// Counters grow by multiples of 1/64, so that the sums of doubles are exact and a test can know every total.
struct SyntheticLoad: Sendable {
    struct Settings: Sendable, Equatable {
        var hosts = 3
        var profile = LoadProfile()
        var heavyHitters = 0.08
        var memoryLeaks = 0.02
        var descriptorLeaks = 0.01
        var restarts = 0.002
    }
    /// What all processes together have counted, ended ones included.
    struct Totals: Sendable, Equatable {
        /// In 1/64 seconds.
        var cpuTime: UInt64 = 0
        var bytesRead: UInt64 = 0
        var bytesWritten: UInt64 = 0
        var restarts = 0
    }
    private(set) var totals = Totals()
    var settings: Settings {
        didSet {
            if hosts.count > settings.hosts { hosts.removeLast(hosts.count - settings.hosts) }
            while hosts.count < settings.hosts { hosts.append([]) }
        }
    }
    private var random: SeededGenerator
    private var hosts: [[SyntheticProcess]]
    private var nextPID: Int64 = 1000
    private let beganAt: UInt64
    private var isFirst = true

    init(_ settings: Settings, seed: UInt64, at now: UInt64) {
        (self.settings, random) = (settings, SeededGenerator(seed: seed))
        (beganAt, hosts) = (now, Array(repeating: [], count: settings.hosts))
    }

    /// One report of all hosts, who are asked one after the other.
    struct Round: Sendable {
        fileprivate let now: UInt64
        fileprivate let wanted: Int
        fileprivate let isFirst: Bool
        /// Those who have not reported.
        fileprivate(set) var hosts: Range<Int>
    }
    /// Time has come to `now`: every host is to report.
    mutating func beginRound(at now: UInt64) -> Round {
        defer { isFirst = false }
        let wanted = settings.profile.processes(after: .nanoseconds(Int64(now - min(now, beganAt))))
        return Round(now: now, wanted: wanted, isFirst: isFirst, hosts: hosts.indices)
    }
    /// What the next host reports; nil after the last. New processes appear and old ones leave.
    mutating func nextReport(of round: inout Round, into names: SyntheticNames) -> MetricBatch.Parts? {
        guard let host = round.hosts.popFirst() else { return nil }
        resize(host, to: round.wanted, at: round.now)
        var parts = MetricBatch.Parts()
        parts.numbers.reserve(hosts[host].count * SyntheticNames.seriesPerProcess)
        for index in hosts[host].indices {
            live(host, index, in: round)
            names.append(&hosts[host][index], host: host, at: round.now, to: &parts)
        }
        return parts
    }

    private mutating func resize(_ host: Int, to count: Int, at now: UInt64) {
        if hosts[host].count > count { hosts[host].removeLast(hosts[host].count - count) }
        while hosts[host].count < count { hosts[host].append(born(hosts[host].count, at: now)) }
    }

    private mutating func born(_ index: Int, at now: UInt64) -> SyntheticProcess {
        var process = SyntheticProcess(kind: SyntheticKind.of(index), pid: nextPID, start: now)
        nextPID += 1
        process.isHeavy = chance(settings.heavyHitters)
        process.leaksMemory = chance(settings.memoryLeaks)
        process.leaksDescriptors = chance(settings.descriptorLeaks)
        process.memory = Int64.random(in: 4...64, using: &random) << 20
        process.threads = Int64.random(in: 1...32, using: &random)
        process.descriptors = Int64.random(in: 3...256, using: &random)
        return process
    }

    /// One interval in the life of a process; or its end, and the beginning of the next in its place.
    private mutating func live(_ host: Int, _ index: Int, in round: Round) {
        let now = round.now
        if !round.isFirst, hosts[host][index].start < now, chance(settings.restarts) {
            // It began within the interval, so that its first value counts.
            hosts[host][index] = born(index, at: now - 1)
            totals.restarts += 1
        }
        var process = hosts[host][index]
        guard process.start < now else { return }
        let weight: UInt64 = process.isHeavy ? 40 : 1
        let cpu = UInt64.random(in: 0...24, using: &random) * weight
        let read = UInt64.random(in: 0...64, using: &random) * 4096 * weight
        let written = UInt64.random(in: 0...64, using: &random) * 4096 * weight
        (process.cpuTime, process.bytesRead) = (process.cpuTime + cpu, process.bytesRead + read)
        process.bytesWritten += written
        (totals.cpuTime, totals.bytesRead) = (totals.cpuTime + cpu, totals.bytesRead + read)
        totals.bytesWritten += written
        if process.leaksMemory { process.memory += 1 << 20 }
        if process.leaksDescriptors { process.descriptors += 4 }
        process.threads = max(1, process.threads + Int64.random(in: -1...1, using: &random))
        hosts[host][index] = process
    }
    private mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }
}

/// One imaginary process.
struct SyntheticProcess: Sendable {
    var kind: SyntheticKind
    var pid: Int64
    /// In nanoseconds since 1970.
    var start: UInt64
    var isHeavy = false
    var leaksMemory = false
    var leaksDescriptors = false
    /// In 1/64 seconds.
    var cpuTime: UInt64 = 0
    var memory: Int64 = 0
    var threads: Int64 = 0
    var descriptors: Int64 = 0
    var bytesRead: UInt64 = 0
    var bytesWritten: UInt64 = 0
    /// The names of its series, once they were asked for.
    var series: [SeriesID] = []

    init(kind: SyntheticKind, pid: Int64, start: UInt64) {
        (self.kind, self.pid, self.start) = (kind, pid, start)
    }
}

/// What a process runs: a mix such as hosts have.
struct SyntheticKind: Sendable, Equatable {
    var executable: String
    var owner: String
    var service: String
    var isKernel = false

    /// What the `index`th process of a host runs: of 20, one critical, five high, four medium, five low, five kernel threads.
    static func of(_ index: Int) -> Self { mix[index % mix.count] }
    private static let mix: [Self] = {
        func user(_ name: String, _ service: String) -> Self {
            Self(executable: name, owner: "app", service: service)
        }
        func kernel(_ name: String) -> Self {
            Self(executable: name, owner: "root", service: "kernel", isKernel: true)
        }
        return [
            user("critical_ledger", "ledger"), user("java_app", "orders"), user("nginx", "edge"),
            kernel("kworker/0:1"),
            user("bash", "shell"), user("python_api", "search"), user("postgres", "orders"),
            kernel("rcu_sched"),
            user("cron", "system"), user("node_gateway", "edge"), user("data_pipeline", "reports"),
            kernel("migration/0"), user("sshd", "system"), user("java_app", "billing"),
            user("nginx", "static"),
            kernel("ksoftirqd/0"), user("rsyslogd", "system"), user("python_api", "mail"), kernel("cpuhp/0"),
            user("worker", "batch"),
        ]
    }()
}
