import Foundation
import Glibc

/// Runs the whole program under load and prints what it cost; a run that disagrees with the oracle is void.
@main
enum Load {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let wanted = Set(arguments.dropFirst(2))
        let names = Set(Case.all.map(\.name))
        guard arguments.count >= 2, wanted.isSubset(of: names) else {
            say("usage: load PHOENIX-BINARY GRAPH-FOLDER [CASE...]; the cases: \(names.sorted())")
            exit(2)
        }
        say("machine: \(Machine.description)")
        var voids: [String] = []
        for plan in Case.all where wanted.isEmpty || wanted.contains(plan.name) {
            do {
                var run = try Run(plan, binary: arguments[0], graphs: arguments[1])
                let measured = try run.measure()
                say(measured.text)
                if !measured.voids.isEmpty { voids.append(plan.name) }
            } catch {
                say("\(plan.name): VOID: \(error)")
                voids.append(plan.name)
            }
        }
        if !voids.isEmpty {
            say("void: \(voids.joined(separator: ", "))")
            exit(1)
        }
    }

    /// Prints at once, also into a pipe.
    static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

/// What the figures were measured on.
enum Machine {
    static var description: String {
        let cpus = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = cpus.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":")
            .last
        let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "?"
        return "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores of\(model ?? " an unknown processor"), Linux "
            + kernel.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    /// The loader keeps off the server's core; `taskset` works on a running process too.
    static func pin(core: Int) {
        let taskset = Process()
        taskset.executableURL = URL(fileURLWithPath: "/usr/bin/taskset")
        taskset.arguments = ["-a", "-p", "-c", String(core), String(getpid())]
        taskset.standardOutput = FileHandle.nullDevice
        try? taskset.run()
        taskset.waitUntilExit()
    }
}
