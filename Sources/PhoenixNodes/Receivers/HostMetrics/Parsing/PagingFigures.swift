/// A line of `/proc/swaps`, in bytes.
struct SwapArea: Sendable, Equatable {
    var device: String
    var size: UInt64
    var used: UInt64

    /// The areas of a file; its head is none.
    static func all(_ text: KernelText) -> [SwapArea] { text.lines.compactMap(SwapArea.init(line:)) }

    private init?(line: KernelText) {
        let words = line.words
        guard words.count >= 4, let size = words[2].number, let used = words[3].number else { return nil }
        let (bytes, overflows) = size.multipliedReportingOverflow(by: 1024)
        guard !overflows, used <= size else { return nil }
        (device, self.size, self.used) = (MountPoint.unescaped(words[0]), bytes, used * 1024)
    }
}

/// What of `/proc/vmstat` is about paging, since the boot.
struct PagingFigures: Sendable, Equatable {
    var faults: UInt64
    var majorFaults: UInt64
    /// Pages that came from swap.
    var swappedIn: UInt64
    var swappedOut: UInt64

    init?(_ text: KernelText) {
        let values = text.namedNumbers
        guard let faults = values["pgfault"], let major = values["pgmajfault"] else { return nil }
        (self.faults, majorFaults) = (faults, major)
        (swappedIn, swappedOut) = (values["pswpin"] ?? 0, values["pswpout"] ?? 0)
    }
    var minorFaults: UInt64 { faults - min(faults, majorFaults) }
}
