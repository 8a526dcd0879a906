import PhoenixModel

/// Reads of one process what it is and what it does.
struct ProcessReader: Sendable {
    private static let smallFile = 65_536
    /// What is kept of a command line.
    private static let commandLength = 4096
    /// Counting more open files than this would take too long.
    private static let mostDescriptors = 16_384

    let files: any HostFiles
    /// The names of users by their numbers.
    let users: [UInt64: String]
    /// What could not be read of processes that otherwise could.
    private(set) var failures: [HostFileFailure: Int] = [:]

    init(_ files: any HostFiles) {
        self.files = files
        users = (try? files.text("/etc/passwd")).map(ProcessNaming.users) ?? [:]
    }

    func statistics(of pid: Int64) throws(HostFileFailure) -> ProcessStatistics {
        try files.parsed("/proc/\(pid)/stat", limit: Self.smallFile, ProcessStatistics.init)
    }
    func status(of pid: Int64) throws(HostFileFailure) -> ProcessStatus {
        try files.parsed("/proc/\(pid)/status", limit: Self.smallFile, ProcessStatus.init)
    }

    /// What names a process: the attributes of its resource.
    func attributes(
        of pid: Int64,
        _ statistics: ProcessStatistics,
        _ status: ProcessStatus
    ) -> [Attribute] {
        // The program of a kernel thread does not exist, that of other users' processes is often not to be seen.
        let target = try? files.target(ofLink: "/proc/\(pid)/exe")
        let path = target.map(ProcessNaming.executablePath)
        let name = path?.split(separator: "/").last.map(String.init) ?? statistics.name
        var attributes = [
            Attribute("process.pid", .int(pid)),
            Attribute("process.parent_pid", .int(statistics.parentID)),
            Attribute("process.executable.name", name),
        ]
        if let path { attributes.append(Attribute("process.executable.path", path)) }
        if !statistics.isKernelThread {
            let command = try? files.contents("/proc/\(pid)/cmdline", limit: Self.commandLength, isCut: true)
            let line = ProcessNaming.commandLine(KernelText(command ?? []))
            if !line.isEmpty { attributes.append(Attribute("process.command_line", line)) }
            let groups = try? files.text("/proc/\(pid)/cgroup", limit: Self.smallFile)
            if let id = groups.flatMap(ProcessNaming.containerID) {
                attributes.append(Attribute("container.id", id))
            }
        }
        if let id = status.userID {
            attributes.append(Attribute("process.owner", users[id] ?? String(id)))
        }
        return attributes
    }

    /// What a process does. What is denied, and what is gone since it ended meanwhile, is left out and counted.
    mutating func readings(
        of pid: Int64,
        _ statistics: ProcessStatistics,
        _ status: ProcessStatus
    ) -> [HostReading] {
        func mode(_ name: String) -> [Attribute] { [Attribute("cpu.mode", name)] }
        func fault(_ type: String) -> [Attribute] { [Attribute("system.paging.fault.type", type)] }
        func kind(_ type: String) -> [Attribute] { [Attribute("process.context_switch.type", type)] }
        var readings = [
            HostReading(
                .processCPUTime,
                Double(statistics.userTicks) / KernelTicks.perSecond,
                mode("user")
            ),
            HostReading(
                .processCPUTime,
                Double(statistics.systemTicks) / KernelTicks.perSecond,
                mode("system")
            ),
            HostReading(.processThreads, statistics.threads),
        ]
        if let count = status.voluntarySwitches {
            readings.append(HostReading(.processSwitches, count, kind("voluntary")))
        }
        if let count = status.involuntarySwitches {
            readings.append(HostReading(.processSwitches, count, kind("involuntary")))
        }
        // A thread of the kernel has neither memory nor files of its own.
        if statistics.isKernelThread { return readings }
        if let resident = status.residentBytes {
            readings.append(HostReading(.processMemory, resident))
            readings.append(HostReading(.processVirtual, statistics.virtualBytes))
        }
        readings.append(HostReading(.processFaults, statistics.majorFaults, fault("major")))
        readings.append(HostReading(.processFaults, statistics.minorFaults, fault("minor")))
        return readings + descriptors(of: pid) + traffic(of: pid)
    }

    private mutating func descriptors(of pid: Int64) -> [HostReading] {
        do throws(HostFileFailure) {
            let count = try files.count(in: "/proc/\(pid)/fd", limit: Self.mostDescriptors)
            return [HostReading(.processDescriptors, UInt64(count))]
        } catch {
            failures[error, default: 0] += 1
            return []
        }
    }
    private mutating func traffic(of pid: Int64) -> [HostReading] {
        func direction(_ name: String) -> [Attribute] { [Attribute("disk.io.direction", name)] }
        do throws(HostFileFailure) {
            let traffic = try files.parsed("/proc/\(pid)/io", limit: Self.smallFile, ProcessTraffic.init)
            return [
                HostReading(.processDiskIO, traffic.readBytes, direction("read")),
                HostReading(.processDiskIO, traffic.writtenBytes, direction("write")),
            ]
        } catch {
            failures[error, default: 0] += 1
            return []
        }
    }
}
