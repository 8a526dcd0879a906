/// The load of the benchmarks: hosts with processes, six points each, encoded as an OpenTelemetry SDK would.
///
/// A body is encoded once; to advance it in time rewrites its fixed-width times and values in place.
public struct ProcessLoad {
    /// One `ExportMetricsServiceRequest`, with the places of what changes.
    public struct Body {
        public var bytes: [UInt8]
        /// Offsets of the times of the points, and of their values, in the order of the points.
        public var timeOffsets: [Int] = []
        public var valueOffsets: [Int] = []
        public var isInteger: [Bool] = []
        public var isMonotonic: [Bool] = []
        public var values: [UInt64] = []
    }
    public static let pointsPerProcess = 6
    public var processes: Int
    public var bodies: [Body]
    public let startUnixNano: UInt64

    /// `count` bodies of `processesPerBody` processes each; series are distinct over all bodies.
    public init(bodies count: Int, processesPerBody: Int, startUnixNano: UInt64) {
        processes = count * processesPerBody
        self.startUnixNano = startUnixNano
        bodies = (0..<count).map { index in
            var writer = BodyWriter()
            for process in index * processesPerBody..<(index + 1) * processesPerBody {
                writer.write(process: process, hostSize: 250, start: startUnixNano)
            }
            return writer.body
        }
    }

    /// Moves a body to `time` and its counters forward; `round` chooses how far.
    public mutating func advance(_ index: Int, to time: UInt64, round: UInt64) {
        bodies[index].advance(to: time, round: round)
    }
}

extension ProcessLoad.Body {
    mutating func advance(to time: UInt64, round: UInt64) {
        for point in valueOffsets.indices {
            let step = UInt64(point & 7) + 1 + round & 3
            var bits = values[point]
            if isMonotonic[point] {
                bits =
                    isInteger[point]
                    ? bits &+ step * 4096 : (Double(bitPattern: bits) + Double(step) * 0.25).bitPattern
            } else {
                bits = 50 + (bits &* 31 &+ step) % 1000
            }
            values[point] = bits
            store(time, at: timeOffsets[point])
            store(bits, at: valueOffsets[point])
        }
    }
    private mutating func store(_ number: UInt64, at offset: Int) {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: number, toByteOffset: offset, as: UInt64.self) }
    }
}

/// Writes a request by hand: the loader must not share code with what it measures.
struct BodyWriter {
    var body = ProcessLoad.Body(bytes: [])

    private static func varint(_ value: Int) -> [UInt8] {
        var (rest, bytes) = (UInt64(value), [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
    private static func field(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag] + varint(content.count) + content
    }
    private static func fixed(_ tag: UInt8, _ value: UInt64) -> [UInt8] {
        [tag] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
    private static func attribute(_ tag: UInt8, _ key: String, _ value: String) -> [UInt8] {
        field(tag, field(0x0A, Array(key.utf8)) + field(0x12, field(0x0A, Array(value.utf8))))
    }
    private static func attribute(_ tag: UInt8, _ key: String, _ value: Int) -> [UInt8] {
        field(tag, field(0x0A, Array(key.utf8)) + field(0x12, [0x18] + varint(value)))
    }
    static let executables = [
        "java_app", "python_api", "node_gateway", "nginx", "postgres", "data_pipeline", "critical_billing",
        "kworker/u8:1", "rcu_preempt", "sshd", "cron", "bash", "node_exporter", "containerd", "kubelet",
        "redis",
    ]

    private static func resource(_ process: Int, hostSize: Int) -> [UInt8] {
        let host = process / hostSize
        let executable = executables[process % executables.count]
        let container = String(UInt64(process) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
        return attribute(0x0A, "host.name", "host-\(host).eu-west-1.compute.internal")
            + attribute(0x0A, "service.name", "svc-\(process % 40)")
            + attribute(0x0A, "process.pid", 1000 + process)
            + attribute(0x0A, "process.executable.name", executable)
            + attribute(0x0A, "process.owner", process % 3 == 0 ? "root" : "app")
            + attribute(
                0x0A,
                "process.command_line",
                "/usr/bin/\(executable) --config /etc/\(executable).conf --n \(process)"
            )
            + attribute(0x0A, "container.id", container)
            + attribute(0x0A, "k8s.pod.name", "\(executable)-\(process % 97)-\(container.prefix(5))")
            + attribute(0x0A, "k8s.namespace.name", "prod-\(process % 7)")
    }

    mutating func write(process: Int, hostSize: Int, start: UInt64) {
        let scope =
            Self.field(0x0A, Array("phoenix.generators.process".utf8)) + Self.field(0x12, Array("1.0.0".utf8))
        let metrics: [[UInt8]] = [
            metric("process.cpu.time", "s", sum: true, points: [point(start, 0.5, isSum: true)]),
            metric("process.memory.usage", "By", sum: false, points: [point(start, 1_048_576, isSum: false)]),
            metric("process.threads", "{thread}", sum: false, points: [point(start, 8, isSum: false)]),
            metric(
                "process.open_file_descriptors",
                "{count}",
                sum: false,
                points: [point(start, 64, isSum: false)]
            ),
            metric(
                "process.disk.io",
                "By",
                sum: true,
                points: [
                    point(start, 4096, isSum: true, direction: "read"),
                    point(start, 0, isSum: true, direction: "write"),
                ]
            ),
        ]
        let scopeMetrics = Self.field(0x0A, scope) + metrics.flatMap { Self.field(0x12, $0) }
        let message =
            Self.field(0x0A, Self.resource(process, hostSize: hostSize)) + Self.field(0x12, scopeMetrics)
        let whole = Self.field(0x0A, message)
        let base = body.bytes.count
        body.bytes += whole
        findPoints(from: base)
    }
    private func metric(_ name: String, _ unit: String, sum: Bool, points: [[UInt8]]) -> [UInt8] {
        let tail: [UInt8] = sum ? [0x10, 2, 0x18, 1] : []
        let data: [UInt8] = points.flatMap { Self.field(0x0A, $0) } + tail
        return Self.field(0x0A, Array(name.utf8)) + Self.field(0x1A, Array(unit.utf8))
            + Self.field(sum ? 0x3A : 0x2A, data)
    }
    /// A placeholder: `findPoints` looks for the marks.
    private func point(_ start: UInt64, _ value: Double, isSum: Bool, direction: String? = nil) -> [UInt8] {
        let attributes = direction.map { Self.attribute(0x3A, "direction", $0) } ?? []
        let isInteger = direction != nil || !isSum
        let bits = isInteger ? UInt64(value) : value.bitPattern
        return attributes + Self.fixed(0x11, start) + Self.fixed(0x19, Self.timeMark)
            + Self.fixed(isInteger ? 0x31 : 0x21, bits)
    }
    private static let timeMark: UInt64 = 0x7E57_7E57_7E57_7E57

    /// Notes where the times are; the value's tag and bits follow each.
    private mutating func findPoints(from base: Int) {
        let mark = (0..<8).map { UInt8(truncatingIfNeeded: Self.timeMark >> (8 * UInt64($0))) }
        var offset = base
        var metricPoint = 0
        while offset + 17 <= body.bytes.count {
            guard body.bytes[offset] == mark[0], Array(body.bytes[offset..<offset + 8]) == mark else {
                offset += 1
                continue
            }
            body.timeOffsets.append(offset)
            body.valueOffsets.append(offset + 9)
            body.isInteger.append(body.bytes[offset + 8] == 0x31)
            body.isMonotonic.append([true, false, false, false, true, true][metricPoint])
            var bits: UInt64 = 0
            for index in 0..<8 { bits |= UInt64(body.bytes[offset + 9 + index]) << UInt64(8 * index) }
            body.values.append(bits)
            metricPoint += 1
            offset += 17
        }
    }
}

/// What the load has sent so far: the oracle.
extension ProcessLoad {
    public struct Totals {
        public var cpu = 0.0
        public var disk = 0.0
    }
    public var points: Int { bodies.reduce(0) { $0 + $1.values.count } }
    /// The sums of the counters' last values.
    public var totals: Totals {
        var totals = Totals()
        for body in bodies {
            for point in body.values.indices where body.isMonotonic[point] {
                if body.isInteger[point] {
                    totals.disk += Double(body.values[point])
                } else {
                    totals.cpu += Double(bitPattern: body.values[point])
                }
            }
        }
        return totals
    }
}
