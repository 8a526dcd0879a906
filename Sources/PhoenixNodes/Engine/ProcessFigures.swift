import Foundation
import PhoenixWire

/// What the kernel says of this process, under the names that Prometheus clients agreed on.
struct ProcessFigures {
    var cpuSeconds: Double?
    var residentBytes: Double?
    var virtualBytes: Double?
    var openDescriptors: Double?
    var mostDescriptors: Double?
    var threads: Double?

    /// The figures now; what the system does not tell is nil.
    static var current: Self {
        var figures = Self()
        var usage = rusage()
        // RUSAGE_SELF, which is not of the parameter's type everywhere.
        if getrusage(0, &usage) == 0 {
            func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
            figures.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        if let pages = text("/proc/self/statm")?.split(separator: " ").compactMap({ Double($0) }),
            pages.count > 1
        {
            let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))
            (figures.virtualBytes, figures.residentBytes) = (pages[0] * pageSize, pages[1] * pageSize)
        }
        if let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            figures.openDescriptors = Double(names.count)
        }
        if let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
            figures.threads = Double(names.count)
        }
        if let line = text("/proc/self/limits")?.split(separator: "\n").first(where: {
            $0.hasPrefix("Max open files")
        }) {
            figures.mostDescriptors = line.split(separator: " ").dropFirst(3).first.flatMap { Double($0) }
        }
        return figures
    }

    private static func text(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { file.closeFile() }
        // Files of /proc say that they are empty: read until the end instead.
        return String(decoding: file.readDataToEndOfFile(), as: UTF8.self)
    }

    var families: [PlainFamily] {
        let all: [(String, String, FamilyType, Double?)] = [
            ("process_cpu_seconds_total", "CPU time of the process, user and system.", .counter, cpuSeconds),
            ("process_resident_memory_bytes", "Memory of the process that is in RAM.", .gauge, residentBytes),
            ("process_virtual_memory_bytes", "Address space of the process.", .gauge, virtualBytes),
            ("process_open_fds", "Open file descriptors.", .gauge, openDescriptors),
            ("process_max_fds", "The most file descriptors that may be open.", .gauge, mostDescriptors),
            ("process_threads", "Threads of the process.", .gauge, threads),
        ]
        return all.compactMap { name, help, type, value in value.map { PlainFamily(name, help, type, $0) } }
    }
}
