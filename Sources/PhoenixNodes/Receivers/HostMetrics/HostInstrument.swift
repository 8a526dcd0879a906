import PhoenixModel

/// A metric of a host or process, as the semantic conventions name it (OpenTelemetry semantic conventions 1.45, system and
/// process metrics; the load averages bear the OpenTelemetry Collector's names, since the conventions have none).
struct HostInstrument: Sendable {
    enum Shape: Sendable {
        /// A cumulative monotonic sum.
        case counter
        /// A cumulative sum that goes up and down: values of several bearers add up.
        case upDownCounter
        case gauge
    }
    let name: String
    let unit: String
    let shape: Shape
    let description: String
    /// By so much the kernel may correct itself downwards: less is no restart.
    let jitter: Double

    init(_ name: String, _ unit: String, _ shape: Shape, _ description: String, jitter: Double = 0) {
        (self.name, self.unit, self.shape, self.description) = (name, unit, shape, description)
        self.jitter = jitter
    }

    var identity: MetricIdentity {
        MetricIdentity(
            scope: Scope(name: "phoenix.hostmetrics"),
            name: name,
            unit: unit,
            kind: shape == .gauge ? .gauge : .sum,
            temporality: shape == .gauge ? .unspecified : .cumulative,
            isMonotonic: shape == .counter
        )
    }
}

/// Of the host.
extension HostInstrument {
    static let uptime = Self("system.uptime", "s", .gauge, "Time since the system was started.")
    // The kernel's idle and iowait times of a processor are known to go back a little.
    static let cpuTime = Self("system.cpu.time", "s", .counter, "CPU time by mode.", jitter: 3)
    static let cpuCount = Self("system.cpu.logical.count", "{cpu}", .upDownCounter, "Logical processors.")
    static let loadAverages = ["1m", "5m", "15m"].map {
        Self("system.cpu.load_average.\($0)", "{thread}", .gauge, "Threads that run or wait, on average.")
    }
    static let memoryUsage = Self("system.memory.usage", "By", .upDownCounter, "Memory by state.")
    static let memoryLimit = Self("system.memory.limit", "By", .upDownCounter, "Memory in all.")
    static let memoryAvailable = Self(
        "system.memory.linux.available",
        "By",
        .upDownCounter,
        "Memory that programs could have without swapping."
    )
    static let memoryShared = Self(
        "system.memory.linux.shared",
        "By",
        .upDownCounter,
        "Memory that is shared, mostly of tmpfs."
    )
    static let slabUsage = Self(
        "system.memory.linux.slab.usage",
        "By",
        .upDownCounter,
        "Memory of the kernel's caches by whether it can be had back."
    )
    static let diskIO = Self("system.disk.io", "By", .counter, "Bytes read and written.")
    static let diskOperations = Self("system.disk.operations", "{operation}", .counter, "Reads and writes.")
    static let diskIOTime = Self("system.disk.io_time", "s", .counter, "Time in which the disk was busy.")
    static let diskOperationTime = Self(
        "system.disk.operation_time",
        "s",
        .counter,
        "Time that operations took, added up."
    )
    static let diskMerged = Self(
        "system.disk.merged",
        "{operation}",
        .counter,
        "Operations that were done together with others."
    )
    static let fileSystemUsage = Self("system.filesystem.usage", "By", .upDownCounter, "Space by state.")
    static let fileSystemLimit = Self("system.filesystem.limit", "By", .upDownCounter, "Space in all.")
    static let networkIO = Self("system.network.io", "By", .counter, "Bytes received and sent.")
    static let networkPackets = Self(
        "system.network.packet.count",
        "{packet}",
        .counter,
        "Packets received and sent."
    )
    static let networkDropped = Self(
        "system.network.packet.dropped",
        "{packet}",
        .counter,
        "Packets that were dropped though nothing was wrong with them."
    )
    static let networkErrors = Self("system.network.errors", "{error}", .counter, "Errors of interfaces.")
    static let pagingUsage = Self("system.paging.usage", "By", .upDownCounter, "Swap space by state.")
    static let pagingFaults = Self("system.paging.faults", "{fault}", .counter, "Page faults.")
    static let pagingOperations = Self(
        "system.paging.operations",
        "{operation}",
        .counter,
        "Pages that went to swap and came back."
    )
    static let processCount = Self("system.process.count", "{process}", .upDownCounter, "Processes by state.")
    static let processesCreated = Self(
        "system.process.created",
        "{process}",
        .counter,
        "Processes created since the system was started."
    )
}

/// Of a process.
extension HostInstrument {
    static let processCPUTime = Self("process.cpu.time", "s", .counter, "CPU time that the process used.")
    static let processMemory = Self("process.memory.usage", "By", .upDownCounter, "Memory in RAM.")
    static let processVirtual = Self("process.memory.virtual", "By", .upDownCounter, "Address space.")
    static let processThreads = Self("process.thread.count", "{thread}", .upDownCounter, "Threads.")
    static let processDescriptors = Self(
        "process.unix.file_descriptor.count",
        "{file_descriptor}",
        .upDownCounter,
        "File descriptors that are open."
    )
    static let processDiskIO = Self(
        "process.disk.io",
        "By",
        .counter,
        "Bytes read from disk and written to it."
    )
    static let processSwitches = Self(
        "process.context_switches",
        "{context_switch}",
        .counter,
        "Times that the process left a processor."
    )
    static let processFaults = Self("process.paging.faults", "{fault}", .counter, "Page faults.")
}
