/// Requests of histogram points, explicit or exponential, from the processes of `ProcessLoad`: six points a process, two
/// metrics of three routes each.
///
/// Each body is encoded once; to advance it rewrites its points, which are of one width, in place.
public struct CompoundLoad {
    public enum Kind: Sendable { case histogram, exponential }
    public static let bounds: [Double] = [
        5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
    ]
    /// How many buckets an exponential point has.
    public static let exponentialBuckets = 40
    private static let metrics = ["http.server.request.duration", "http.client.request.duration"]
    private static let routes = ["/orders/{id}", "/basket", "/healthz"]

    public private(set) var bodies: [[UInt8]] = []
    /// Where the points of each body begin.
    private var places: [[Int]] = []
    private let kind: Kind
    private let startUnixNano: UInt64

    public init(_ kind: Kind, bodies count: Int, pointsPerBody: Int, startUnixNano: UInt64) {
        (self.kind, self.startUnixNano) = (kind, startUnixNano)
        let point = point(startUnixNano, 1)
        let scope = scopeMetrics(point)
        let inScope = scope.indices.filter { scope[$0...].starts(with: point) }
        for body in 0..<count {
            var (bytes, places) = ([UInt8](), [Int]())
            for process in 0..<pointsPerBody / 6 {
                let resource = BodyWriter.resource(body * (pointsPerBody / 6) + process)
                let block = BodyWriter.field(0x0A, resource) + BodyWriter.field(0x12, scope)
                bytes += BodyWriter.field(0x0A, block)
                places += inScope.map { bytes.count - scope.count + $0 }
            }
            bodies.append(bytes)
            self.places.append(places)
        }
    }
    public var points: Int { places.reduce(0) { $0 + $1.count } }

    /// Moves all bodies to a time; `round`, below 128, is what every bucket has been counted up to.
    public mutating func advance(to time: UInt64, round: UInt64) {
        precondition(round < 128)
        let point = point(time, round)
        for index in bodies.indices {
            for place in places[index] {
                for offset in point.indices { bodies[index][place + offset] = point[offset] }
            }
        }
    }

    private func scopeMetrics(_ point: [UInt8]) -> [UInt8] {
        let scope =
            BodyWriter.field(0x0A, Array("phoenix.generators.process".utf8))
            + BodyWriter.field(0x12, Array("1.0.0".utf8))
        let attributeTag: UInt8 = kind == .histogram ? 0x4A : 0x0A
        let metrics = Self.metrics.flatMap { name in
            let points = Self.routes.flatMap { route in
                BodyWriter.field(0x0A, BodyWriter.attribute(attributeTag, "http.route", route) + point)
            }
            return BodyWriter.field(
                0x12,
                BodyWriter.field(0x0A, Array(name.utf8)) + BodyWriter.field(0x1A, Array("ms".utf8))
                    + BodyWriter.field(kind == .histogram ? 0x4A : 0x52, points + [0x10, 2])
            )
        }
        return BodyWriter.field(0x0A, scope) + metrics
    }
    /// A point but for its attributes.
    private func point(_ time: UInt64, _ round: UInt64) -> [UInt8] {
        let head = BodyWriter.fixed(0x11, startUnixNano) + BodyWriter.fixed(0x19, time)
        let sum = BodyWriter.fixed(0x29, (Double(round) * 3.5).bitPattern)
        switch kind {
        case .histogram:
            let buckets = Self.bounds.count + 1
            let counts = (0..<buckets).flatMap { _ in BodyWriter.fixed(0, round).dropFirst() }
            let bounds = Self.bounds.flatMap { BodyWriter.fixed(0, $0.bitPattern).dropFirst() }
            return head + BodyWriter.fixed(0x21, round * UInt64(buckets)) + sum
                + BodyWriter.field(0x32, counts) + BodyWriter.field(0x3A, bounds)
        case .exponential:
            let buckets = Self.exponentialBuckets
            let counts = (0..<buckets).flatMap { _ in BodyWriter.varint(Int(round)) }
            let side = [0x08, 20] + BodyWriter.field(0x12, counts)
            return head + BodyWriter.fixed(0x21, round * UInt64(buckets)) + sum + [0x30, 6]
                + BodyWriter.field(0x42, side)
        }
    }
}
