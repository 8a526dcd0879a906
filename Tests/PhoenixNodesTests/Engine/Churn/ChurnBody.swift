/// The bytes of an `ExportMetricsServiceRequest` in which many processes report, each under a resource of its own.
struct ChurnBody {
    private(set) var bytes: [UInt8] = []
    static let seriesPerProcess = 4
    /// The counters of a process, by metric, and the number that tells them apart; both directions of `disk.io` add up.
    static let counters: [(metric: String, kind: Int64)] = [
        ("process.cpu.time", 1), ("process.disk.io", 2), ("process.disk.io", 3),
    ]
    private static let cumulative: [UInt8] = [0x10, 2, 0x18, 1]

    /// What a process says: whose it is, of what, and how often it has spoken.
    static func value(_ pid: Int64, _ kind: Int64, _ round: Int64) -> Int64 {
        pid * 1000 + kind * 100 + round
    }
    static func isValue(_ value: Int64, of pid: Int64, _ metric: String) -> Bool {
        guard value / 1000 == pid, value % 100 < 10 else { return false }
        switch value % 1000 / 100 {
        case 0: return metric.contains("threads")
        case 1: return metric.contains("cpu")
        case 2, 3: return metric.contains("disk")
        default: return false
        }
    }

    mutating func append(pid: Int64, start: UInt64, time: UInt64, round: Int64) {
        func point(_ kind: Int64, _ direction: String? = nil) -> [UInt8] {
            var point: [UInt8] = [0x11]
            Self.append(fixed: start, to: &point)
            point.append(0x19)
            Self.append(fixed: time, to: &point)
            point.append(0x31)
            Self.append(fixed: UInt64(bitPattern: Self.value(pid, kind, round)), to: &point)
            if let direction {
                point += Self.attribute(0x3a, "direction", Self.field(0x0a, Array(direction.utf8)))
            }
            return Self.field(0x0a, point)
        }
        func metric(_ name: String, _ tag: UInt8, _ data: [UInt8]) -> [UInt8] {
            Self.field(0x12, Self.field(0x0a, Array(name.utf8)) + Self.field(tag, data))
        }
        let host = Self.attribute(0x0a, "host.name", Self.field(0x0a, Array("host-\(pid % 10)".utf8)))
        let process = Self.attribute(0x0a, "process.pid", [0x18] + Self.varint(UInt64(pid)))
        let metrics =
            metric("process.threads", 0x2a, point(0))
            + metric("process.cpu.time", 0x3a, point(1) + Self.cumulative)
            + metric("process.disk.io", 0x3a, point(2, "read") + point(3, "write") + Self.cumulative)
        bytes += Self.field(0x0a, Self.field(0x0a, host + process) + Self.field(0x12, metrics))
    }

    private static func attribute(_ tag: UInt8, _ key: String, _ value: [UInt8]) -> [UInt8] {
        field(tag, field(0x0a, Array(key.utf8)) + field(0x12, value))
    }
    private static func field(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        [tag] + varint(UInt64(contents.count)) + contents
    }
    private static func varint(_ value: UInt64) -> [UInt8] {
        var (left, bytes) = (value, [UInt8]())
        while left >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
            left >>= 7
        }
        return bytes + [UInt8(left)]
    }
    private static func append(fixed value: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
