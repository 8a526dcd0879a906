/// The load of the benchmarks: hosts with processes, encoded as an OpenTelemetry SDK would.
///
/// A ring of bodies. Each is encoded once; to advance it rewrites its fixed-width times and values in place. Bodies whose
/// places in the ring differ by `groups` are about the same processes, each a step later than the one before.
public struct ProcessLoad {
    /// One `ExportMetricsServiceRequest`, with the places of what changes.
    public struct Body {
        public var bytes: [UInt8] = []
        /// Offsets of the times of the points, and of their values, in the order of the points.
        var timeOffsets: [Int] = []
        var valueOffsets: [Int] = []
    }
    /// What the processes of a body have come to.
    public struct Group {
        var isInteger: [Bool] = []
        var isMonotonic: [Bool] = []
        var values: [UInt64] = []
    }
    public private(set) var bodies: [Body] = []
    private var groups: [Group] = []

    /// `count` bodies of `pointsPerBody` points, six a process; the last process of a body has what is left. Series are
    /// distinct over `groups` bodies in a row. Wide resources carry what detectors add: 200 bytes a point instead of 130.
    public init(
        bodies count: Int,
        groups groupCount: Int,
        pointsPerBody: Int,
        startUnixNano: UInt64,
        isWide: Bool = false
    ) {
        let processes = (pointsPerBody + 5) / 6
        for index in 0..<count {
            let group = index % groupCount
            var writer = BodyWriter(isWide: isWide)
            for process in 0..<processes {
                writer.write(
                    process: group * processes + process,
                    points: min(6, pointsPerBody - process * 6),
                    start: startUnixNano
                )
            }
            bodies.append(writer.body)
            if index < groupCount { groups.append(writer.group) }
        }
    }

    /// Points of one body.
    public var pointsPerBody: Int { bodies[0].valueOffsets.count }
    /// How many series there are.
    public var series: Int { groups.reduce(0) { $0 + $1.values.count } }
    /// Points of one turn of the ring.
    public var points: Int { bodies.reduce(0) { $0 + $1.valueOffsets.count } }

    /// Moves a body to `time`, and what it counts forward; `round` chooses how far.
    public mutating func advance(_ index: Int, to time: UInt64, round: UInt64) {
        let group = index % groups.count
        groups[group].advance(round)
        let values = groups[group].values
        bodies[index].write(values, at: time)
    }

    /// What was sent so far, as the sums of the counters' last values: the oracle.
    public struct Totals {
        public var cpu = 0.0
        public var disk = 0.0
        public init() {}
    }
    public var totals: Totals {
        var totals = Totals()
        for group in groups {
            for point in group.values.indices where group.isMonotonic[point] {
                if group.isInteger[point] {
                    totals.disk += Double(group.values[point])
                } else {
                    totals.cpu += Double(bitPattern: group.values[point])
                }
            }
        }
        return totals
    }
}

extension ProcessLoad.Group {
    fileprivate mutating func advance(_ round: UInt64) {
        for point in values.indices {
            let step = UInt64(point & 7) + 1 + round & 3
            let bits = values[point]
            if !isMonotonic[point] {
                values[point] = 50 + (bits &* 31 &+ step) % 1000
            } else if isInteger[point] {
                values[point] = bits &+ step * 4096
            } else {
                values[point] = (Double(bitPattern: bits) + Double(step) * 0.25).bitPattern
            }
        }
    }
}
extension ProcessLoad.Body {
    fileprivate mutating func write(_ values: [UInt64], at time: UInt64) {
        bytes.withUnsafeMutableBytes { bytes in
            for point in valueOffsets.indices {
                bytes.storeBytes(of: time, toByteOffset: timeOffsets[point], as: UInt64.self)
                bytes.storeBytes(of: values[point], toByteOffset: valueOffsets[point], as: UInt64.self)
            }
        }
    }
}
