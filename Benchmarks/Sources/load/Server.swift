import Foundation
import Glibc

/// The program under load: started, watched through /proc, killed at the end.
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
            if let answer = try? Scrape(port: port, path: "/ready", keep: true),
                answer.text.hasPrefix("HTTP/1.1 200")
            {
                return
            }
        }
        throw LoadError("the server did not become ready within 30 s")
    }
    func kill() {
        Glibc.kill(pid, SIGKILL)
        process.waitUntilExit()
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
