public import PhoenixGraph
import PhoenixModel

/// What of a host is read.
public enum HostScraper: String, ChoiceValue {
    /// How long the system is up.
    case system
    /// CPU time by mode, and how many processors there are.
    case cpu
    /// Load averages.
    case load
    case memory
    /// Swap space, page faults.
    case paging
    case disk
    case filesystem
    case network
    /// Every process, and how many there are in each state.
    case process
}

/// Reads what is the host's own: files in, readings out.
struct HostScraping: Sendable {
    let config: HostMetrics.Config
    let files: any HostFiles
    /// Where the kernel tells of the namespaces that are meant: this process's own, or those of the host's first process.
    private var own: String { config.isOwnHost ? "/proc/self" : "/proc/1" }
    /// What could not be read of one part while others could.
    private(set) var failures: [HostFileFailure: Int] = [:]

    init(_ config: HostMetrics.Config, _ files: any HostFiles) { (self.config, self.files) = (config, files) }

    /// When the system was started, in nanoseconds since 1970.
    func bootTime() -> UInt64? {
        guard let seconds = try? files.parsed("/proc/stat", KernelStatistics.init)?.bootTime else {
            return nil
        }
        let (nanoseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? nil : nanoseconds
    }

    mutating func readings(_ scraper: HostScraper) throws(HostFileFailure) -> [HostReading] {
        switch scraper {
        case .system: try uptime()
        case .cpu: try processors()
        case .load: try load()
        case .memory: try memory()
        case .paging: try paging()
        case .disk: try disks()
        case .filesystem: try fileSystems()
        case .network: try interfaces()
        case .process: try processes()
        }
    }

    private func uptime() throws(HostFileFailure) -> [HostReading] {
        let seconds = try files.parsed("/proc/uptime") { text in
            text.words.first.flatMap { Double($0.string) }.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
        }
        return [HostReading(.uptime, seconds)]
    }
    private func processors() throws(HostFileFailure) -> [HostReading] {
        let figures = try files.parsed("/proc/stat", KernelStatistics.init)
        let single = figures.processors.filter { $0.number != nil }
        let told = config.perCPU ? single : figures.processors.filter { $0.number == nil }
        let times = told.flatMap { processor in
            zip(KernelStatistics.modes, processor.ticks).map { mode, ticks in
                let number = processor.number.map { [Attribute("cpu.logical_number", .int($0))] } ?? []
                return HostReading(
                    .cpuTime,
                    Double(ticks) / KernelTicks.perSecond,
                    number + [Attribute("cpu.mode", mode)]
                )
            }
        }
        return times + [HostReading(.cpuCount, UInt64(single.count))]
    }
    private func load() throws(HostFileFailure) -> [HostReading] {
        let load = try files.parsed("/proc/loadavg", LoadAverages.init)
        return zip(HostInstrument.loadAverages, load.averages).map { HostReading($0, $1) }
    }
    private func memory() throws(HostFileFailure) -> [HostReading] {
        let figures = try files.parsed("/proc/meminfo", MemoryFigures.init)
        func usage(_ state: String, _ value: UInt64) -> HostReading {
            HostReading(.memoryUsage, value, [Attribute("system.memory.state", state)])
        }
        func slab(_ state: String, _ value: UInt64?) -> HostReading? {
            value.map { HostReading(.slabUsage, $0, [Attribute("system.memory.linux.slab.state", state)]) }
        }
        let always = [
            usage("used", figures.used), usage("free", figures.free), usage("buffers", figures.buffers),
            usage("cached", figures.cached), HostReading(.memoryLimit, figures.total),
        ]
        let some = [
            figures.available.map { HostReading(.memoryAvailable, $0) },
            figures.shared.map { HostReading(.memoryShared, $0) },
            slab("reclaimable", figures.reclaimableSlab), slab("unreclaimable", figures.unreclaimableSlab),
        ]
        return always + some.compactMap { $0 }
    }
    private func paging() throws(HostFileFailure) -> [HostReading] {
        let figures = try files.parsed("/proc/vmstat", PagingFigures.init)
        let areas = SwapArea.all(try files.text("/proc/swaps"))
        func fault(_ type: String, _ value: UInt64) -> HostReading {
            HostReading(.pagingFaults, value, [Attribute("system.paging.fault.type", type)])
        }
        func operation(_ direction: String, _ value: UInt64) -> HostReading {
            let attributes = [
                Attribute("system.paging.direction", direction),
                Attribute("system.paging.fault.type", "major"),
            ]
            return HostReading(.pagingOperations, value, attributes)
        }
        func usage(_ area: SwapArea, _ state: String, _ value: UInt64) -> HostReading {
            let attributes = [
                Attribute("system.device", area.device), Attribute("system.paging.state", state),
            ]
            return HostReading(.pagingUsage, value, attributes)
        }
        return [
            fault("major", figures.majorFaults), fault("minor", figures.minorFaults),
            operation("in", figures.swappedIn), operation("out", figures.swappedOut),
        ] + areas.flatMap { [usage($0, "used", $0.used), usage($0, "free", $0.size - $0.used)] }
    }
    private func processes() throws(HostFileFailure) -> [HostReading] {
        let figures = try files.parsed("/proc/stat", KernelStatistics.init)
        return figures.processesCreated.map { [HostReading(.processesCreated, $0)] } ?? []
    }
}

/// The unit of times in the kernel's files: the same on every machine, whatever its own tick (USER_HZ).
enum KernelTicks {
    static let perSecond = 100.0
    static let nanoseconds: UInt64 = 10_000_000
}

/// Devices: of each of them several, by its name.
extension HostScraping {
    private func disks() throws(HostFileFailure) -> [HostReading] {
        // A partition's traffic is its disk's too: without that list, which old roots may lack, both are told.
        let whole = config.disk.partitions ? nil : try? Set(files.names(in: "/sys/block", limit: 65_536))
        let disks = DiskFigures.all(try files.text("/proc/diskstats")).filter { disk in
            config.disk.selection.takes(disk.device) && whole?.contains(Self.blockName(disk.device)) ?? true
        }
        return disks.flatMap(readings)
    }
    /// A slash in a device's name is an exclamation mark in `/sys`.
    private static func blockName(_ device: String) -> String {
        String(device.map { $0 == "/" ? "!" : $0 })
    }
    private func readings(_ disk: DiskFigures) -> [HostReading] {
        let device = Attribute("system.device", disk.device)
        let both = [("read", disk.read), ("write", disk.written)].flatMap { direction, traffic in
            let attributes = [device, Attribute("disk.io.direction", direction)]
            return [
                HostReading(.diskIO, traffic.bytes, attributes),
                HostReading(.diskOperations, traffic.operations, attributes),
                HostReading(.diskMerged, traffic.merged, attributes),
                HostReading(.diskOperationTime, Double(traffic.milliseconds) / 1000, attributes),
            ]
        }
        return both + [HostReading(.diskIOTime, Double(disk.busyMilliseconds) / 1000, [device])]
    }

    private func interfaces() throws(HostFileFailure) -> [HostReading] {
        let interfaces = NetworkFigures.all(try files.text(own + "/net/dev"))
        return interfaces.filter { config.network.takes($0.interface) }.flatMap { interface in
            [("receive", interface.received), ("transmit", interface.sent)].flatMap { direction, traffic in
                let attributes = [
                    Attribute("network.interface.name", interface.interface),
                    Attribute("network.io.direction", direction),
                ]
                return [
                    HostReading(.networkIO, traffic.bytes, attributes),
                    HostReading(.networkPackets, traffic.packets, attributes),
                    HostReading(.networkErrors, traffic.errors, attributes),
                    HostReading(.networkDropped, traffic.dropped, attributes),
                ]
            }
        }
    }

    private mutating func fileSystems() throws(HostFileFailure) -> [HostReading] {
        let settings = config.filesystem
        let mounts = MountPoint.all(try files.text(own + "/mounts")).filter { mount in
            !mount.mayBlock && settings.devices.takes(mount.device) && settings.types.takes(mount.type)
                && settings.mountPoints.takes(mount.path)
        }
        var readings: [HostReading] = []
        for mount in mounts {
            do throws(HostFileFailure) {
                let space = try files.space(at: mount.path)
                // Those of the kernel's own making (proc, sysfs, …) have no space at all.
                if space.total > 0 { readings += Self.readings(mount, space) }
            } catch {
                failures[error, default: 0] += 1
            }
        }
        return readings
    }
    private static func readings(_ mount: MountPoint, _ space: FileSystemSpace) -> [HostReading] {
        let attributes = [
            Attribute("system.device", mount.device),
            Attribute("system.filesystem.mode", mount.isReadOnly ? "ro" : "rw"),
            Attribute("system.filesystem.mountpoint", mount.path),
            Attribute("system.filesystem.type", mount.type),
        ]
        func usage(_ state: String, _ value: UInt64) -> HostReading {
            HostReading(.fileSystemUsage, value, attributes + [Attribute("system.filesystem.state", state)])
        }
        let (free, available) = (min(space.free, space.total), min(space.available, space.free))
        return [
            usage("used", space.total - free), usage("free", available),
            usage("reserved", free - min(free, available)),
            HostReading(.fileSystemLimit, space.total, attributes),
        ]
    }
}
