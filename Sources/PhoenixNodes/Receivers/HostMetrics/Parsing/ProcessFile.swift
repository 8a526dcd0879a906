/// `/proc/PID/stat` (proc_pid_stat(5)).
struct ProcessStatistics: Sendable, Equatable {
    /// The name that the kernel knows: at most 15 bytes of a program's.
    var name: String
    /// The kernel's letter: `R`, `S`, `D`, `Z`, `T`, …
    var state: Character
    var parentID: Int64
    var isKernelThread: Bool
    var minorFaults: UInt64
    var majorFaults: UInt64
    /// In hundredths of a second.
    var userTicks: UInt64
    var systemTicks: UInt64
    var threads: UInt64
    /// In hundredths of a second since the boot.
    var startTicks: UInt64
    var virtualBytes: UInt64

    init?(_ text: KernelText) {
        // A name may hold spaces, line ends and parentheses: it ends at the last of these.
        guard let open = text.bytes.firstIndex(of: UInt8(ascii: "(")),
            let close = text.bytes.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let words = KernelText(text.bytes[(close + 1)...].prefix { $0 != 0x0a }).words
        guard words.count >= 21, words[0].bytes.count == 1, let letter = words[0].bytes.first else {
            return nil
        }
        let numbers = words.map(\.number)
        guard let parent = numbers[1], let flags = numbers[6], let minor = numbers[7], let major = numbers[9],
            let user = numbers[11], let system = numbers[12], let threads = numbers[17],
            let start = numbers[19], let size = numbers[20], let parentID = Int64(exactly: parent)
        else { return nil }
        name = Self.stable(KernelText(text.bytes[(open + 1)..<close]).string)
        (state, self.parentID) = (Character(UnicodeScalar(letter)), parentID)
        // PF_KTHREAD.
        isKernelThread = flags & 0x0020_0000 != 0
        (minorFaults, majorFaults, userTicks, systemTicks) = (minor, major, user, system)
        (self.threads, startTicks, virtualBytes) = (threads, start, size)
    }

    /// A worker's name without what it works on, which changes all the time: `kworker/0:1-events` is `kworker/0:1`.
    private static func stable(_ name: String) -> String {
        guard name.hasPrefix("kworker/"), let colon = name.firstIndex(of: ":") else { return name }
        return String(name[..<(name[colon...].firstIndex { $0 == "-" || $0 == "+" } ?? name.endIndex)])
    }

    /// The state as the semantic conventions name it.
    var stateName: String {
        switch state {
        case "R": "running"
        case "T", "t": "stopped"
        case "Z", "X", "x": "defunct"
        default: "sleeping"
        }
    }
}

/// What is read of `/proc/PID/status` (proc_pid_status(5)).
struct ProcessStatus: Sendable, Equatable {
    /// The real user.
    var userID: UInt64?
    var residentBytes: UInt64?
    var voluntarySwitches: UInt64?
    var involuntarySwitches: UInt64?

    /// The kernel writes line ends in the process's name as `\n`, so that no name can pose as another line.
    init?(_ text: KernelText) {
        guard text.hasPrefix("Name:") else { return nil }
        let values = text.namedNumbers
        (userID, residentBytes) = (values["Uid"], values["VmRSS"])
        voluntarySwitches = values["voluntary_ctxt_switches"]
        involuntarySwitches = values["nonvoluntary_ctxt_switches"]
    }
}

/// `/proc/PID/io`: what went to and came from disks for the process.
struct ProcessTraffic: Sendable, Equatable {
    var readBytes: UInt64
    var writtenBytes: UInt64

    init?(_ text: KernelText) {
        let values = text.namedNumbers
        guard let read = values["read_bytes"], let written = values["write_bytes"] else { return nil }
        (readBytes, writtenBytes) = (read, written)
    }
}

/// What names a process, beside its numbers.
enum ProcessNaming {
    /// The arguments of `/proc/PID/cmdline` in one line; empty for a kernel thread.
    static func commandLine(_ text: KernelText) -> String {
        // A program that wrote its own title left the rest of its arguments as zeros.
        var bytes = text.bytes
        while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
        return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    }
    /// The path of the target of `/proc/PID/exe`, also of a program that was replaced since it started.
    static func executablePath(_ target: String) -> String {
        target.hasSuffix(" (deleted)") ? String(target.dropLast(10)) : target
    }
    /// The container that a `/proc/PID/cgroup` names: 64 hexadecimal digits, as all container runtimes write them.
    static func containerID(_ text: KernelText) -> String? {
        for line in text.lines {
            let parts = line.bytes.split { !isWordCharacter($0) }
            if let id = parts.last(where: { $0.count == 64 && $0.allSatisfy(isHexadecimal) }) {
                return String(decoding: id, as: UTF8.self)
            }
        }
        return nil
    }
    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
    }
    /// The names of users by their numbers, from `/etc/passwd` (passwd(5)); the first of a number counts.
    static func users(_ text: KernelText) -> [UInt64: String] {
        var users: [UInt64: String] = [:]
        for line in text.lines {
            let parts = line.bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard parts.count >= 3, !parts[0].isEmpty, let id = KernelText(parts[2]).number else { continue }
            if users[id] == nil { users[id] = String(decoding: parts[0], as: UTF8.self) }
        }
        return users
    }
}
