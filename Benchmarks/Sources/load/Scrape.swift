/// One answer to a GET, read by a plain socket reader.
struct Scrape {
    private(set) var text = ""
    private(set) var bytes = 0
    private(set) var seconds = 0.0

    /// - Parameter keep: whether to keep the text; a scrape that is timed does not.
    init(port: UInt16, path: String = "/metrics", keep: Bool) throws {
        let connection = try Connection(port: port)
        let head = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        try connection.write(Array(head.utf8))
        var all: [UInt8] = []
        let start = ContinuousClock.now
        bytes = try connection.drain { if keep { all += $0 } }
        seconds = (ContinuousClock.now - start).seconds
        text = String(decoding: all, as: UTF8.self)
    }

    /// The sums of the counters of processes, and how many series there are.
    var counterSums: (sums: [String: Double], series: Int) {
        var (sums, series) = ([String: Double](), 0)
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let first = line.first, first != UInt8(ascii: "#"),
                let space = line.lastIndex(of: UInt8(ascii: " "))
            else { continue }
            let name = String(
                decoding: line.prefix { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: " ") },
                as: UTF8.self
            )
            guard name.contains("process_"),
                let value = Double(String(decoding: line[line.index(after: space)...], as: UTF8.self))
            else { continue }
            series += 1
            if name.hasSuffix("_total") {
                sums[name.hasSuffix("cpu_time_seconds_total") ? "cpu" : "disk", default: 0] += value
            }
        }
        return (sums, series)
    }
}
