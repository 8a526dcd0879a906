import PhoenixModel

/// The series of imaginary processes in the engine's table, and their points.
struct SyntheticNames: Sendable {
    static let seriesPerProcess = 6
    private let table: SeriesTable
    private let lane: SeriesLane
    private let metrics: [Metric]
    private let directions: [AttributeSet]
    private let none: AttributeSet

    init(_ table: SeriesTable, lane: String) {
        self.table = table
        self.lane = table.lane(lane)
        let scope = Scope(name: "phoenix.synthetic")
        func gauge(_ name: String, _ unit: String, _ description: String) -> Metric {
            table.metric(
                MetricIdentity(scope: scope, name: name, unit: unit, kind: .gauge),
                description: description
            )
        }
        func counter(_ name: String, _ unit: String, _ description: String) -> Metric {
            let identity = MetricIdentity(
                scope: scope,
                name: name,
                unit: unit,
                kind: .sum,
                temporality: .cumulative,
                isMonotonic: true
            )
            return table.metric(identity, description: description)
        }
        metrics = [
            counter("process.cpu.time", "s", "CPU time that the process used."),
            gauge("process.memory.usage", "By", "Memory that the process holds."),
            gauge("process.threads", "{thread}", "Threads of the process."),
            gauge("process.open_file_descriptors", "{count}", "Files that the process holds open."),
            counter("process.disk.io", "By", "Bytes that the process read from disk or wrote to it."),
        ]
        directions = ["read", "write"].map { table.intern([Attribute("direction", $0)]) }
        none = table.intern([])
    }

    /// Appends what a process reports; nothing where the series table is full.
    func append(
        _ process: inout SyntheticProcess,
        host: Int,
        at now: UInt64,
        to parts: inout MetricBatch.Parts
    ) {
        if process.series.isEmpty || !process.series.allSatisfy({ table.touch($0) }) {
            process.series = name(process, host: host)
        }
        guard process.series.count == Self.seriesPerProcess else { return }
        func add(_ index: Int, start: UInt64, _ bits: UInt64, _ flags: PointFlags) {
            parts.numbers.append(process.series[index], time: now, start: start, bits: bits, flags: flags)
        }
        add(0, start: process.start, (Double(process.cpuTime) / 64).bitPattern, [])
        add(1, start: 0, UInt64(bitPattern: process.memory), .isInteger)
        add(2, start: 0, UInt64(bitPattern: process.threads), .isInteger)
        add(3, start: 0, UInt64(bitPattern: process.descriptors), .isInteger)
        add(4, start: process.start, process.bytesRead, .isInteger)
        add(5, start: process.start, process.bytesWritten, .isInteger)
    }

    private func name(_ process: SyntheticProcess, host: Int) -> [SeriesID] {
        let (kind, host) = (process.kind, "host-\(host + 1)")
        var attributes = [
            Attribute("host.name", host), Attribute("service.name", kind.service),
            Attribute("process.executable.name", kind.executable), Attribute("process.owner", kind.owner),
            Attribute("process.pid", .int(process.pid)),
            Attribute("process.parent_pid", .int(kind.isKernel ? 2 : 1)),
        ]
        if !kind.isKernel {
            let container = SHA256.hexadecimal("\(host)/\(process.pid)".utf8).prefix(12)
            attributes += [
                Attribute(
                    "process.command_line",
                    "/usr/bin/\(kind.executable) --service \(kind.service) --id \(process.pid)"
                ),
                Attribute("container.id", String(container)), Attribute("k8s.namespace.name", kind.service),
                Attribute("k8s.pod.name", "\(kind.service)-\(container.prefix(5))"),
            ]
        }
        let resource = table.intern(attributes)
        let points = [none, none, none, none, directions[0], directions[1]]
        return zip([0, 1, 2, 3, 4, 4], points).compactMap { metric, point in
            table.id(resource: resource, metric: metrics[metric], attributes: point, lane: lane)
        }
    }
}
