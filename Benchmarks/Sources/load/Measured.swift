import Foundation
import LoadShape

/// What a run has shown.
struct Measured {
    let plan: Case
    let series: Int
    let bytes: Int
    var points = 0
    /// Batches that the receiver made of the requests.
    var batches = 0.0
    var seconds = 0.0
    var user = 0.0
    var system = 0.0
    var base = 0
    var resident = 0
    var peak = 0
    var yardstick = Yardstick()
    /// Points sent since the start, and those that the receiver says it passed on.
    var sent = 0
    var taken = 0.0
    var endpoints: [Endpoint] = []

    init(plan: Case, load: ProcessLoad) {
        (self.plan, series) = (plan, load.series)
        bytes = load.bodies[0].bytes.count
    }

    var perMillion: Double { (user + system) / Double(points) * 1e6 }
    /// Why the run shows nothing.
    var voids: [String] {
        var reasons = endpoints.compactMap(\.disagreement)
        if taken != Double(sent) { reasons.append("\(sent) points were sent, and \(Int(taken)) taken") }
        if yardstick.cachedGigabytesPerSecond < 10 {
            reasons.append("the yardstick is below 10 GB/s even in the caches: the machine is busy")
        }
        return reasons
    }

    var text: String {
        func number(_ value: Double, _ digits: Int = 3) -> String { String(format: "%.\(digits)f", value) }
        var lines = [
            "\(plan.name): \(Int(Double(points) / seconds)) points/s, \(number(perMillion)) CPU-s per 10^6 points "
                + "(user \(number(user / Double(points) * 1e6)), kernel \(number(system / Double(points) * 1e6))), "
                + "\(number(perMillion / yardstick.secondsPerMillionPoints, 1)) x the yardstick "
                + "(\(number(yardstick.gigabytesPerSecond, 1)) GB/s, "
                + "\(number(yardstick.cachedGigabytesPerSecond, 1)) in the caches)",
            "  \(series) series, \(plan.points) points and \(bytes) bytes a request, "
                + "\(plan.connections) connections with \(plan.inFlight) under way, "
                + "\(number(Double(points) / batches, 0)) points a batch",
            "  memory: base \(base / 1024) MiB, now \(resident / 1024) MiB, peak \(peak / 1024) MiB, "
                + "\((resident - base) * 1024 / series) bytes an input series over the base",
        ]
        lines += endpoints.map { endpoint in
            "  :\(endpoint.port): \(endpoint.series) series, \(endpoint.bytes) bytes in "
                + "\(number(endpoint.seconds * 1000, 1)) ms = "
                + "\(number(Double(endpoint.bytes) / endpoint.seconds / 1e9, 2)) GB/s"
                + (endpoint.disagreement == nil ? ", agrees with the oracle" : "")
        }
        lines += voids.map { "  VOID: \($0)" }
        return lines.joined(separator: "\n")
    }
}

/// An endpoint as a plain socket reader saw it, and as the oracle wants it.
struct Endpoint {
    let port: UInt16
    private(set) var series = 0
    private(set) var bytes = 0
    /// The fastest of four scrapes.
    private(set) var seconds = Double.infinity
    private(set) var disagreement: String?

    init(port: UInt16, cpu: Double, disk: Double) throws {
        self.port = port
        for _ in 0..<4 {
            let scrape = try Scrape(port: port, keep: false)
            if scrape.seconds < seconds { (seconds, bytes) = (scrape.seconds, scrape.bytes) }
        }
        let (sums, count) = try Scrape(port: port, keep: true).counterSums
        series = count
        func differs(_ shown: Double?, _ wanted: Double) -> Bool {
            abs((shown ?? .infinity) - wanted) > 1e-9 * max(1, wanted)
        }
        if differs(sums["cpu"], cpu) || differs(sums["disk"], disk) {
            disagreement = ":\(port) shows \(sums), sent were cpu \(cpu), disk \(disk)"
        }
    }
}
