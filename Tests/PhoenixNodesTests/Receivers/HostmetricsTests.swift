import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// The receiver over a host that does not exist, in a world of its own.
@Suite struct HostmetricsTests {
    private static func host() -> ImaginaryHost {
        ImaginaryHost([
            "/proc/stat":
                "cpu  200 0 100 900 0 0 0 0\ncpu0 100 0 50 450 0 0 0 0\ncpu1 100 0 50 450 0 0 0 0\nbtime 1704067000\nprocesses 10\n",
            "/etc/passwd": "app:x:1000:1000::/:/bin/sh\n",
            "/proc/": "",
        ])
    }
    private static func config(_ scrapers: [HostScraper]) -> HostMetrics.Config {
        var config = HostMetrics.Config()
        (config.scrapers, config.interval) = (scrapers, .seconds(10))
        return config
    }
    private static func config(
        _ scrapers: [HostScraper],
        _ change: (inout HostMetrics.Config) throws -> Void
    ) rethrows -> HostMetrics.Config {
        var config = config(scrapers)
        try change(&config)
        return config
    }
    /// What reports of one node say, each with its batches together; `then` changes the host after a report.
    private static func reports(
        _ count: Int,
        of host: ImaginaryHost,
        _ config: HostMetrics.Config,
        then: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws -> (reports: [[String]], vitals: NodeVitals) {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            let output = harness.read(HostMetrics.Port.output)
            let node = HostMetrics(config, harness.context, host)
            let ends = Lock([Int]())
            try await harness.run(node) {
                for index in 0..<count {
                    try await world.clock.sleep(for: .seconds(5))
                    ends.withLock { $0.append(output.messages.count) }
                    then(index)
                    try await world.clock.sleep(for: .seconds(5) - .nanoseconds(1))
                }
            }
            let marks = [0] + ends.withLock { $0 }
            let reports = zip(marks, marks.dropFirst()).map { from, to in
                output.messages[from..<to].flatMap { PointText.lines($0, harness.context.series) }
            }
            return (reports, harness.context.vitals)
        }
    }
    /// The files that could not be read, by scraper and reason.
    private static func failures(_ vitals: NodeVitals) -> [String: Int] {
        var failures: [String: Int] = [:]
        for scraper in HostScraper.allCases {
            for reason in HostFileFailure.allCases {
                let labels = ["scraper": scraper.rawValue, "reason": reason.rawValue]
                let count = vitals.counter("phoenix_hostmetrics_read_failures_total", labels).value
                if count > 0 { failures["\(scraper) \(reason)"] = count }
            }
        }
        return failures
    }

    @Test func aProcessIsNamedAndToldWhole() throws {
        let host = Self.host()
        let id = String(repeating: "ab", count: 32)
        host.run(
            77,
            "java",
            startTicks: 5_000,
            ticks: 250,
            executable: "/opt/jdk/bin/java",
            commandLine: "java\0-jar\0a b.jar\0"
        )
        host["/proc/77/cgroup"] = "0::/docker/\(id)\n"
        let lines = try Self.reports(1, of: host, Self.config([.process])).reports[0]
        let resource =
            "{resource: container.id=\(id), process.command_line=\"java -jar a b.jar\", process.executable.name=java, process.executable.path=/opt/jdk/bin/java, process.owner=app, process.parent_pid=int(1), process.pid=int(77)"
        // Started 50 s after the boot, which was 200 s before the world began.
        let sum = "sum cumulative"
        let expected = [
            "process.context_switches\(resource); process.context_switch.type=involuntary} \(sum) monotonic unit={context_switch} scope=phoenix.hostmetrics start=-150s time=0s 4",
            "process.context_switches\(resource); process.context_switch.type=voluntary} \(sum) monotonic unit={context_switch} scope=phoenix.hostmetrics start=-150s time=0s 9",
            "process.cpu.time\(resource); cpu.mode=system} \(sum) monotonic unit=s scope=phoenix.hostmetrics start=-150s time=0s 0.5",
            "process.cpu.time\(resource); cpu.mode=user} \(sum) monotonic unit=s scope=phoenix.hostmetrics start=-150s time=0s 2.5",
            "process.disk.io\(resource); disk.io.direction=read} \(sum) monotonic unit=By scope=phoenix.hostmetrics start=-150s time=0s 4096",
            "process.disk.io\(resource); disk.io.direction=write} \(sum) monotonic unit=By scope=phoenix.hostmetrics start=-150s time=0s 8192",
            "process.memory.usage\(resource)} \(sum) unit=By scope=phoenix.hostmetrics start=-150s time=0s 2097152",
            "process.memory.virtual\(resource)} \(sum) unit=By scope=phoenix.hostmetrics start=-150s time=0s 8192000",
            "process.paging.faults\(resource); system.paging.fault.type=major} \(sum) monotonic unit={fault} scope=phoenix.hostmetrics start=-150s time=0s 7",
            "process.paging.faults\(resource); system.paging.fault.type=minor} \(sum) monotonic unit={fault} scope=phoenix.hostmetrics start=-150s time=0s 100",
            "process.thread.count\(resource)} \(sum) unit={thread} scope=phoenix.hostmetrics start=-150s time=0s 3",
            "process.unix.file_descriptor.count\(resource)} \(sum) unit={file_descriptor} scope=phoenix.hostmetrics start=-150s time=0s 3",
            "system.process.count{; process.state=defunct} sum cumulative unit={process} scope=phoenix.hostmetrics start=-200s time=0s 0",
            "system.process.count{; process.state=running} sum cumulative unit={process} scope=phoenix.hostmetrics start=-200s time=0s 0",
            "system.process.count{; process.state=sleeping} sum cumulative unit={process} scope=phoenix.hostmetrics start=-200s time=0s 1",
            "system.process.count{; process.state=stopped} sum cumulative unit={process} scope=phoenix.hostmetrics start=-200s time=0s 0",
            "system.process.created{} sum cumulative monotonic unit={process} scope=phoenix.hostmetrics start=-200s time=0s 10",
        ]
        #expect(lines == expected)
    }

    @Test func aNumberThatIsUsedAgainIsAnotherProcess() throws {
        let host = Self.host()
        host.run(77, "worker", startTicks: 5_000, ticks: 900)
        let (reports, _) = try Self.reports(2, of: host, Self.config([.process])) { _ in
            host.run(77, "worker", startTicks: 20_500, ticks: 1)
        }
        let times = reports[1].filter { $0.hasPrefix("process.cpu.time") && $0.contains("cpu.mode=user") }
        #expect(times.count == 2, "the old one ends, though the two bear the same names")
        #expect(times.contains { $0.hasSuffix("start=5s time=10s 0.01") })
        #expect(times.contains { $0.hasSuffix("time=10s none") })
    }

    @Test func aProcessThatEndedEndsAllItsSeries() throws {
        let host = Self.host()
        host.run(77, "worker", startTicks: 5_000)
        host.run(78, "other", startTicks: 5_000)
        let (reports, _) = try Self.reports(3, of: host, Self.config([.process])) {
            if $0 == 0 { host.kill(77) }
        }
        let ended = reports[1].filter { $0.hasSuffix("none") }
        #expect(ended.count == 12)
        #expect(ended.allSatisfy { $0.contains("process.pid=int(77)") })
        #expect(reports[2].allSatisfy { !$0.contains("none") && !$0.contains("int(77)") })
    }

    @Test(arguments: ["stat", "status"], [HostFileFailure.denied, .failed, .tooLarge])
    func aProcessThatCannotBeReadForOnceHasNotEnded(_ file: String, _ failure: HostFileFailure) throws {
        let host = Self.host()
        host.run(77, "worker", startTicks: 5_000)
        let (reports, vitals) = try Self.reports(3, of: host, Self.config([.process])) { report in
            host.fail("/proc/77/\(file)", report == 0 ? failure : nil)
        }
        #expect(reports.map { $0.count { $0.contains("process.pid=int(77)") } } == [12, 0, 12])
        #expect(!reports[1].contains { $0.hasSuffix("none") })
        #expect(reports[2].contains { $0.hasPrefix("process.cpu.time") && $0.contains("start=-150s") })
        #expect(Self.failures(vitals) == ["process \(failure)": 1])
    }

    /// Conservation is checked by comparing pipelines up to the same epoch, whatever receivers feed them.
    @Test func epochsAreSecondsSince1970() throws {
        let host = Self.host()
        host.processes = Array(1...1_000)
        for pid in 1...1_000 as ClosedRange<Int64> { host.run(pid, "p\(pid)", startTicks: 1) }
        let times = try World.run { world in
            let harness = NodeHarness(world.clock)
            let output = harness.read(HostMetrics.Port.output)
            let node = HostMetrics(Self.config([.process]), harness.context, host)
            try await harness.run(node) { try await world.clock.sleep(for: .seconds(25)) }
            return output.messages.map { $0.epoch - PointText.origin / 1_000_000_000 }
        }
        #expect(times.count == 99)
        #expect(times == times.sorted())
        #expect(Set(times) == [0, 10, 20], "many batches of one report run ahead of no clock")
    }

    @Test func aProcessThatVanishesWhileItIsReadHasEnded() throws {
        let host = Self.host()
        host.run(77, "worker", startTicks: 5_000)
        let (reports, vitals) = try Self.reports(2, of: host, Self.config([.process])) { _ in
            host.fail("/proc/77/status", .missing)
        }
        #expect(reports[1].filter { $0.hasSuffix("none") }.count == 12)
        #expect(Self.failures(vitals) == ["process missing": 1])
    }

    @Test func whatIsDeniedIsLeftOutAndCounted() throws {
        let host = Self.host()
        host.run(77, "worker", startTicks: 5_000)
        host.fail("/proc/77/io", .denied)
        host.fail("/proc/77/fd", .denied)
        host.fail("/proc/77/exe", .denied)
        let (reports, vitals) = try Self.reports(2, of: host, Self.config([.process]))
        #expect(reports[0].filter { $0.hasPrefix("process.") }.count == 9)
        #expect(
            reports[0].allSatisfy {
                !$0.hasPrefix("process.") || $0.contains("process.executable.name=worker")
            }
        )
        #expect(Self.failures(vitals) == ["process denied": 4])
    }

    @Test func anotherProgramUnderTheSameNumberIsNamedAnew() throws {
        let host = Self.host()
        host.run(77, "sh", startTicks: 5_000, executable: "/bin/sh")
        let (reports, _) = try Self.reports(2, of: host, Self.config([.process])) { _ in
            host.run(77, "server", startTicks: 5_000, executable: "/bin/server")
        }
        #expect(reports[1].filter { $0.contains("name=sh,") }.allSatisfy { $0.hasSuffix("none") })
        #expect(reports[1].contains { $0.hasPrefix("process.cpu.time") && $0.contains("name=server,") })
    }

    @Test func anotherParentOrTitleMakesNoOtherSeries() throws {
        let host = Self.host()
        host.run(77, "server", startTicks: 5_000, parent: 50, executable: "/bin/server")
        let (reports, _) = try Self.reports(2, of: host, Self.config([.process])) { _ in
            host.run(77, "server: idle", startTicks: 5_000, parent: 1, executable: "/bin/server")
        }
        #expect(reports[1].allSatisfy { !$0.hasSuffix("none") })
        #expect(reports[1].contains { $0.contains("process.parent_pid=int(50)") })
    }

    @Test func kernelThreadsHaveNeitherMemoryNorFiles() throws {
        let host = Self.host()
        host.run(2, "kworker/0:1-events", startTicks: 0, parent: 0, flags: 0x20_8040)
        let lines = try Self.reports(1, of: host, Self.config([.process])).reports[0].filter {
            $0.hasPrefix("process.")
        }
        #expect(lines.count == 5)
        #expect(lines.allSatisfy { $0.contains("process.executable.name=kworker/0:1,") })
    }

    @Test func processesArePickedByNameAndNumber() throws {
        let host = Self.host()
        for pid in 1...9 as ClosedRange<Int64> {
            host.run(pid, pid % 2 == 0 ? "even" : "odd", startTicks: UInt64(pid))
        }
        let config = try Self.config([.process]) {
            $0.process.include = [try Pattern("^(even|odd)$")]
            $0.process.exclude = [try Pattern("even")]
            $0.process.limit = 3
        }
        let (reports, vitals) = try Self.reports(2, of: host, config) { _ in host.kill(3) }
        func told(_ lines: [String]) -> Set<Substring> {
            Set(
                lines.filter { $0.hasPrefix("process.thread.count") && !$0.hasSuffix("none") }
                    .compactMap { $0.firstMatch(of: /process\.pid=int\((\d+)\)/)?.output.1 }
            )
        }
        #expect(told(reports[0]) == ["1", "3", "5"])
        #expect(told(reports[1]) == ["1", "5"], "who ended gives room from the next report on")
        #expect(vitals.counter("phoenix_hostmetrics_processes_over_limit_total").value == 4)
        let count = reports[0].first { $0.contains("process.state=sleeping") }
        #expect(count?.hasSuffix(" 9") == true, "all are counted, whoever is told of")
    }

    @Test func oneScrapersFailureIsItsOwn() throws {
        let host = Self.host()
        host["/proc/loadavg"] = "nonsense"
        host["/proc/uptime"] = "12.5 3.0\n"
        let (reports, vitals) = try Self.reports(2, of: host, Self.config([.load, .memory, .system])) { _ in
            host.fail("/proc/uptime", .denied)
        }
        #expect(reports[0] == ["system.uptime{} gauge unit=s scope=phoenix.hostmetrics time=0s 12.5"])
        #expect(reports[1] == [], "a file that cannot be read ends nothing")
        #expect(Self.failures(vitals) == ["load malformed": 2, "memory missing": 2, "system denied": 1])
    }

    @Test func cpuTimeIsToldTogetherOrOfEachProcessor() throws {
        let together = try Self.reports(1, of: Self.host(), Self.config([.cpu])).reports[0]
        #expect(together.filter { $0.hasPrefix("system.cpu.time") }.count == 8)
        #expect(
            together.contains { $0.contains("{; cpu.mode=user}") && $0.hasSuffix("start=-200s time=0s 2.0") }
        )
        #expect(together.contains { $0.hasPrefix("system.cpu.logical.count{}") && $0.hasSuffix(" 2") })
        let each = try Self.reports(1, of: Self.host(), Self.config([.cpu]) { $0.perCPU = true }).reports[0]
        #expect(each.filter { $0.hasPrefix("system.cpu.time") }.count == 16)
        #expect(
            each.contains {
                $0.contains("{; cpu.logical_number=int(1), cpu.mode=idle}") && $0.hasSuffix(" 4.5")
            }
        )
    }

    @Test func aPartitionIsNotCountedBesideItsDisk() throws {
        let host = Self.host()
        host["/proc/diskstats"] =
            "8 0 sda 1 0 2 0 0 0 0 0 0 0 0\n8 1 sda1 1 0 2 0 0 0 0 0 0 0 0\n104 0 cciss/c0d0 1 0 2 0 0 0 0 0 0 0 0\n"
        host["/sys/block/"] = "sda cciss!c0d0"
        func devices(_ change: (inout HostMetrics.Config) throws -> Void) throws -> Set<Substring> {
            var config = Self.config([.disk])
            try change(&config)
            let lines = try Self.reports(1, of: host, config).reports[0]
            return Set(lines.compactMap { $0.firstMatch(of: /system\.device=([^,}]+)/)?.output.1 })
        }
        #expect(try devices { _ in } == ["sda", "cciss/c0d0"])
        #expect(try devices { $0.disk.partitions = true } == ["sda", "sda1", "cciss/c0d0"])
        #expect(try devices { $0.disk.exclude = [try Pattern("^cciss")] } == ["sda"])
        host["/sys/block/"] = nil
        #expect(try devices { _ in } == ["sda", "sda1", "cciss/c0d0"], "without the list all are told")
    }

    @Test func fileSystemsThatMayNotAnswerAreNotAsked() throws {
        let host = Self.host()
        host["/proc/self/mounts"] =
            "/dev/sda / ext4 rw 0 0\nproc /proc proc rw 0 0\nfar:/ /far nfs rw 0 0\n/dev/sdb /gone xfs ro 0 0\n"
        host.mount("/", FileSystemSpace(total: 1000, free: 400, available: 300))
        host.mount("/proc", FileSystemSpace(total: 0, free: 0, available: 0))
        // Were it asked, it would be told of.
        host.mount("/far", FileSystemSpace(total: 1, free: 1, available: 1))
        let (reports, vitals) = try Self.reports(1, of: host, Self.config([.filesystem]))
        let resource = "system.device=/dev/sda, system.filesystem.mode=rw, system.filesystem.mountpoint=/"
        let usage = ["free", "reserved", "used"].map {
            "system.filesystem.usage{; \(resource), system.filesystem.state=\($0), system.filesystem.type=ext4}"
        }
        #expect(
            reports[0].map { String($0.prefix { $0 != "}" }) + "}" } == [
                "system.filesystem.limit{; \(resource), system.filesystem.type=ext4}"
            ] + usage
        )
        #expect(reports[0].map { $0.split(separator: " ").last } == ["1000", "300", "100", "600"])
        #expect(Self.failures(vitals) == ["filesystem missing": 1])
    }

    @Test func anotherHostsNamespacesAreItsFirstProcesss() throws {
        let host = Self.host()
        host["/proc/1/net/dev"] = "eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n"
        let config = Self.config([.network]) { $0.rootPath = "/hostfs" }
        #expect(try Self.reports(1, of: host, config).reports[0].count == 8)
    }

    /// As the supervisor hands it over: through the protocol.
    private static func hand<Kind: Node>(_ state: Kind.State, to heir: Kind) async {
        await heir.inherit(state)
    }

    @Test func anHeirGoesOnWithTheSameSeries() throws {
        let host = Self.host()
        host.run(77, "worker", startTicks: 5_000)
        try World.run { world in
            let harness = NodeHarness(world.clock)
            let output = harness.read(HostMetrics.Port.output)
            let old = HostMetrics(Self.config([.process]), harness.context, host)
            let state = try await harness.runToHandOver(old) { try await world.clock.sleep(for: .seconds(5)) }
            guard let state else { throw Unexpected("nothing was handed over") }
            let before = output.messages.flatMap { $0.numbers.series }
            host.kill(77)
            // The clock of the kernel was corrected, and says another time of the boot.
            host["/proc/stat"] = "cpu  1 1 1 1\nbtime 1704067003\nprocesses 11\n"
            host.run(78, "worker", startTicks: 5_000)
            let next = NodeHarness(world.clock)
            next.context.series = harness.context.series
            let heirOutput = next.read(HostMetrics.Port.output)
            let heir = HostMetrics(Self.config([.process]), next.context, host)
            await Self.hand(state, to: heir)
            try await next.run(heir) { try await world.clock.sleep(for: .seconds(5)) }
            let lines = heirOutput.messages.flatMap { PointText.lines($0, next.context.series) }
            try require(lines.filter { $0.hasSuffix("none") }.count == 12, "those of 77 end: \(lines)")
            let created = heirOutput.messages.flatMap { $0.numbers.series }
            try require(!Set(before).isDisjoint(with: created), "the host's series are others")
            try require(
                lines.contains { $0.contains("int(78)") && $0.contains("start=-150s") },
                "the time of the boot is another: \(lines)"
            )
        }
        #expect(
            HostMetrics.inheritance(from: Settings(Self.config([.cpu])), to: Settings(Self.config([.load])))
                == .everything
        )
        let moved = Settings(Self.config([.cpu]) { $0.rootPath = "/elsewhere" })
        guard case .nothing = HostMetrics.inheritance(from: Settings(Self.config([.cpu])), to: moved) else {
            Issue.record("another host's memory was inherited")
            return
        }
    }

    /// A thousand processes are told in slices: between two of them others have their turn.
    @Test func othersHaveTheirTurnBetweenTwoSlices() throws {
        let host = Self.host()
        for pid in 1...1_000 as ClosedRange<Int64> { host["/proc/\(pid)/x"] = "" }
        host.processes = Array(1...1_000)
        for pid in 1...1_000 as ClosedRange<Int64> { host.run(pid, "p\(pid)", startTicks: 1) }
        try World.run { world in
            let harness = NodeHarness(world.clock)
            let output = harness.read(HostMetrics.Port.output)
            let node = HostMetrics(Self.config([.process]), harness.context, host)
            try await harness.run(node) { try await world.clock.sleep(for: .seconds(5)) }
            let batches = output.messages
            try require(batches.count == 33, "32 slices and the host's own, not \(batches.count)")
            try require(batches.allSatisfy { $0.count <= 32 * 12 }, "a slice holds more than it should")
        }
    }
}
