import PhoenixModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What can be told of the machine and the process, as OpenTelemetry's semantic conventions name it.
struct Machine: Sendable {
    var environment: [String: String] = [:]
    var hostName = ""
    var hostID = ""
    /// As `uname` says it.
    var architecture = ""
    var system = ""
    /// The contents of `/etc/os-release`.
    var release = ""
    var processID: Int64 = 0
    var executable = ""

    /// The attributes that the detectors find; of two with one key the first. `keys` says which are wanted, all where it is
    /// empty; what the environment says is always.
    func attributes(_ detectors: [ResourceDetection.Detector], only keys: [String] = []) -> [Attribute] {
        var result: [Attribute] = []
        for detector in detectors {
            for attribute in attributes(detector)
            where keys.isEmpty || detector == .env || keys.contains(attribute.key) {
                if !result.contains(where: { $0.key == attribute.key }) { result.append(attribute) }
            }
        }
        return result
    }
    private func attributes(_ detector: ResourceDetection.Detector) -> [Attribute] {
        let found: [Attribute] =
            switch detector {
            case .env: fromEnvironment
            case .host:
                [
                    Attribute("host.name", hostName), Attribute("host.id", hostID),
                    Attribute(
                        "host.arch",
                        ["x86_64": "amd64", "aarch64": "arm64"][architecture] ?? architecture
                    ),
                ]
            case .os: [Attribute("os.type", system.lowercased()), Attribute("os.description", description)]
            case .process:
                [
                    Attribute("process.pid", .int(processID)),
                    Attribute("process.executable.name", executable),
                    Attribute("process.runtime.name", "swift"),
                ]
            }
        return found.filter { $0.value != .string("") }
    }

    /// `OTEL_SERVICE_NAME` wins over `service.name` in `OTEL_RESOURCE_ATTRIBUTES` (resource SDK specification).
    private var fromEnvironment: [Attribute] {
        var result: [Attribute] = []
        if let name = environment["OTEL_SERVICE_NAME"] { result.append(Attribute("service.name", name)) }
        for pair in (environment["OTEL_RESOURCE_ATTRIBUTES"] ?? "").split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1).map { Self.percentDecoded($0) }
            if parts.count == 2, !parts[0].isEmpty { result.append(Attribute(parts[0], parts[1])) }
        }
        return result
    }
    private static func percentDecoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8.drop { $0 == UInt8(ascii: " ") }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"),
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private var description: String {
        let name = release.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return name.map { $0.dropFirst(12).filter { $0 != "\"" } } ?? ""
    }
}

extension Machine {
    /// This one.
    static var current: Machine {
        var machine = Machine()
        for name in ["OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"] {
            machine.environment[name] = getenv(name).map { String(cString: $0) }
        }
        var name = utsname()
        if uname(&name) == 0 {
            machine.hostName = text(of: name.nodename)
            machine.architecture = text(of: name.machine)
            machine.system = text(of: name.sysname)
        }
        machine.hostID = String(contents(of: "/etc/machine-id").prefix { !$0.isWhitespace })
        machine.release = contents(of: "/etc/os-release")
        machine.processID = Int64(getpid())
        machine.executable = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? ""
        return machine
    }
    private static func text(of field: some Any) -> String {
        withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
    /// The first few kilobytes of a file; nothing where there is none.
    private static func contents(of path: String) -> String {
        let bytes = try? RegularFile.contents(of: path, limit: 65_536)
        return String(decoding: (bytes ?? []).prefix(4096), as: UTF8.self)
    }
}
