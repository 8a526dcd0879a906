/// Writes a request by hand: the loader must not share code with what it measures.
struct BodyWriter {
    var body = ProcessLoad.Body()
    var group = ProcessLoad.Group()
    /// Whether resources carry what the detectors of SDKs and collectors add.
    var isWide = false

    static func varint(_ value: Int) -> [UInt8] {
        var (rest, bytes) = (UInt64(value), [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
    static func field(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag] + varint(content.count) + content
    }
    static func fixed(_ tag: UInt8, _ value: UInt64) -> [UInt8] {
        [tag] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
    static func attribute(_ tag: UInt8, _ key: String, _ value: String) -> [UInt8] {
        field(tag, field(0x0A, Array(key.utf8)) + field(0x12, field(0x0A, Array(value.utf8))))
    }
    static func attribute(_ tag: UInt8, _ key: String, _ value: Int) -> [UInt8] {
        field(tag, field(0x0A, Array(key.utf8)) + field(0x12, [0x18] + varint(value)))
    }
    static let executables = [
        "java_app", "python_api", "node_gateway", "nginx", "postgres", "data_pipeline", "critical_billing",
        "kworker/u8:1", "rcu_preempt", "sshd", "cron", "bash", "node_exporter", "containerd", "kubelet",
        "redis",
    ]

    /// What detectors add, of the size that requests had when the marks were set: 300 KB for 1,500 points.
    private static func detected(_ process: Int) -> [UInt8] {
        let host = process / 250
        let pod = String(UInt64(process) &* 0xD134_2543_DE82_EF95, radix: 16)
        return attribute(0x0A, "service.namespace", "shop")
            + attribute(0x0A, "service.version", "2024.\(process % 40).1")
            + attribute(0x0A, "service.instance.id", "\(pod)-\(process)")
            + attribute(0x0A, "telemetry.sdk.name", "opentelemetry")
            + attribute(0x0A, "telemetry.sdk.language", "java")
            + attribute(0x0A, "telemetry.sdk.version", "1.43.0")
            + attribute(0x0A, "os.type", "linux")
            + attribute(0x0A, "host.arch", "amd64")
            + attribute(0x0A, "host.id", "i-0\(String(UInt64(host) &* 0x9E37_79B9, radix: 16))")
            + attribute(0x0A, "k8s.node.name", "ip-10-0-\(host % 250)-17.ec2.internal")
            + attribute(0x0A, "k8s.pod.uid", "7c9e6679-\(pod)")
    }
    static func resource(_ process: Int) -> [UInt8] {
        let host = process / 250
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

    /// A process with the first so many of its six points.
    mutating func write(process: Int, points: Int, start: UInt64) {
        let scope =
            Self.field(0x0A, Array("phoenix.generators.process".utf8)) + Self.field(0x12, Array("1.0.0".utf8))
        let disk = [
            point(start, 4096, isSum: true, direction: "read"),
            point(start, 0, isSum: true, direction: "write"),
        ]
        let gauges = [
            ("process.memory.usage", "By", 1_048_576.0), ("process.threads", "{thread}", 8),
            ("process.open_file_descriptors", "{count}", 64),
        ]
        var metrics = [metric("process.cpu.time", "s", sum: true, points: [point(start, 0.5, isSum: true)])]
        for (name, unit, value) in gauges {
            metrics.append(metric(name, unit, sum: false, points: [point(start, value, isSum: false)]))
        }
        if points > 4 {
            metrics.append(metric("process.disk.io", "By", sum: true, points: Array(disk.prefix(points - 4))))
        }
        let scopeMetrics = Self.field(0x0A, scope) + metrics.prefix(points).flatMap { Self.field(0x12, $0) }
        let resource = Self.resource(process) + (isWide ? Self.detected(process) : [])
        let message = Self.field(0x0A, resource) + Self.field(0x12, scopeMetrics)
        let base = body.bytes.count
        body.bytes += Self.field(0x0A, message)
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
            group.isInteger.append(body.bytes[offset + 8] == 0x31)
            group.isMonotonic.append([true, false, false, false, true, true][metricPoint])
            var bits: UInt64 = 0
            for index in 0..<8 { bits |= UInt64(body.bytes[offset + 9 + index]) << UInt64(8 * index) }
            group.values.append(bits)
            metricPoint += 1
            offset += 17
        }
    }
}
