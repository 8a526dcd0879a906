import PhoenixModel

@testable import PhoenixNodes

/// The files of a host that does not exist, which a test changes as it likes.
final class ImaginaryHost: HostFiles {
    private struct State {
        var files: [String: String] = [:]
        var links: [String: String] = [:]
        var spaces: [String: FileSystemSpace] = [:]
        var failures: [String: HostFileFailure] = [:]
    }
    private let state = Lock(State())

    init(_ files: [String: String] = [:]) { state.withLock { $0.files = files } }

    /// A file's contents; a path that ends in `/` is a directory, whose names are the words.
    subscript(path: String) -> String? {
        get { state.withLock { $0.files[path] } }
        set { state.withLock { $0.files[path] = newValue } }
    }
    func link(_ path: String, to target: String) { state.withLock { $0.links[path] = target } }
    func mount(_ path: String, _ space: FileSystemSpace) { state.withLock { $0.spaces[path] = space } }
    func fail(_ path: String, _ failure: HostFileFailure?) { state.withLock { $0.failures[path] = failure } }
    /// What is below a path is no more.
    func remove(_ prefix: String) {
        state.withLock { state in
            state.files = state.files.filter { !$0.key.hasPrefix(prefix) }
            state.links = state.links.filter { !$0.key.hasPrefix(prefix) }
        }
    }
    /// The processes that there are, as `/proc` lists them.
    var processes: [Int64] {
        get { state.withLock { ($0.files["/proc/"] ?? "").split(separator: " ").compactMap { Int64($0) } } }
        set { state.withLock { $0.files["/proc/"] = newValue.map(String.init).joined(separator: " ") } }
    }

    /// A process with all its files.
    func run(
        _ pid: Int64,
        _ name: String,
        startTicks: UInt64,
        ticks: UInt64 = 0,
        parent: Int64 = 1,
        flags: UInt64 = 0x40_0000,
        executable: String? = nil,
        commandLine: String = ""
    ) {
        let directory = "/proc/\(pid)"
        self[directory + "/stat"] =
            "\(pid) (\(name)) S \(parent) \(pid) \(pid) 0 -1 \(flags) 100 0 7 0 \(ticks) 50 0 0 20 0 3 0 \(startTicks) 8192000 512 1\n"
        self[directory + "/status"] =
            "Name:\t\(name)\nUid:\t1000\t1000\t1000\t1000\nVmRSS:\t    2048 kB\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t4\n"
        self[directory + "/io"] = "rchar: 1\nwchar: 2\nread_bytes: 4096\nwrite_bytes: 8192\n"
        self[directory + "/fd/"] = "0 1 2"
        self[directory + "/cmdline"] = commandLine
        if let executable { link(directory + "/exe", to: executable) }
        if !processes.contains(pid) { processes.append(pid) }
    }
    func kill(_ pid: Int64) {
        remove("/proc/\(pid)/")
        processes.removeAll { $0 == pid }
    }

    // MARK: HostFiles

    private func failure(_ path: String) throws(HostFileFailure) {
        if let failure = state.withLock({ $0.failures[path] }) { throw failure }
    }
    func contents(_ path: String, limit: Int, isCut: Bool) throws(HostFileFailure) -> [UInt8] {
        try failure(path)
        guard let text = self[path] else { throw .missing }
        let bytes = Array(text.utf8)
        if bytes.count > limit, !isCut { throw .tooLarge }
        return Array(bytes.prefix(limit))
    }
    func names(in directory: String, limit: Int) throws(HostFileFailure) -> [String] {
        try failure(directory)
        guard let text = self[directory + "/"] else { throw .missing }
        let names = text.split(separator: " ").map(String.init)
        if names.count > limit { throw .tooLarge }
        return names
    }
    func count(in directory: String, limit: Int) throws(HostFileFailure) -> Int {
        try names(in: directory, limit: limit).count
    }
    func target(ofLink path: String) throws(HostFileFailure) -> String {
        try failure(path)
        guard let target = state.withLock({ $0.links[path] }) else { throw .missing }
        return target
    }
    func space(at mountPoint: String) throws(HostFileFailure) -> FileSystemSpace {
        try failure(mountPoint)
        guard let space = state.withLock({ $0.spaces[mountPoint] }) else { throw .missing }
        return space
    }
}
