import Foundation
import Glibc

/// The program under load: started, watched through /proc, stopped by SIGTERM.
final class Server {
    private let process = Process()
    var pid: Int32 { process.processIdentifier }

    init(binary: String, arguments: [String], core: Int) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/taskset")
        process.arguments = ["-c", String(core), binary] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
    }
    /// Waits until the engine says that it serves.
    func waitUntilReady(port: UInt16) throws {
        for _ in 0..<600 {
            usleep(50_000)
            guard process.isRunning else {
                throw LoadError("the server ended at once, with status \(process.terminationStatus)")
            }
            if let answer = try? scrape(port: port, path: "/ready", keep: true),
                answer.text.hasPrefix("HTTP/1.1 200")
            {
                return
            }
        }
        throw LoadError("the server did not become ready within 30 s")
    }
    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }
    /// User and system time in seconds.
    var cpuSeconds: (user: Double, system: Double) {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12 else { return (0, 0) }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        return (Double(fields[11])! / ticks, Double(fields[12])! / ticks)
    }
    func memory(_ name: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first).flatMap {
            Int($0)
        } ?? 0
    }
}

/// One scrape by a plain socket reader.
struct Scrape {
    var text = ""
    var bytes = 0
    var seconds = 0.0
}

func scrape(port: UInt16, path: String = "/metrics", keep: Bool) throws -> Scrape {
    let connection = try Connection(port: port)
    try connection.write(Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8))
    var (result, all) = (Scrape(), [UInt8]())
    let start = ContinuousClock.now
    result.bytes = try connection.drain { if keep { all += $0 } }
    let took = (ContinuousClock.now - start).components
    result.seconds = Double(took.seconds) + Double(took.attoseconds) / 1e18
    result.text = String(decoding: all, as: UTF8.self)
    return result
}

/// The sums of an endpoint's counters, by family.
func counterSums(_ text: String) -> (sums: [String: Double], series: Int) {
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
