/// A line of `/proc/diskstats` (kernel documentation, iostats).
struct DiskFigures: Sendable, Equatable {
    /// What was done in one direction.
    struct Traffic: Sendable, Equatable {
        var operations: UInt64
        var merged: UInt64
        var bytes: UInt64
        var milliseconds: UInt64
    }
    var device: String
    var read: Traffic
    var written: Traffic
    /// How long anything was under way.
    var busyMilliseconds: UInt64

    /// The devices of a file; lines that are too short (kernels before 2.6.25 have some) or no numbers are left out.
    static func all(_ text: KernelText) -> [DiskFigures] { text.lines.compactMap(DiskFigures.init(line:)) }

    private init?(line: KernelText) {
        let words = line.words
        guard words.count >= 14 else { return nil }
        let numbers = words[3..<13].map(\.number)
        guard !numbers.contains(nil) else { return nil }
        let values = numbers.compactMap { $0 }
        // Sectors of these files have 512 bytes, whatever the device's own have.
        func traffic(_ first: Int) -> Traffic? {
            let (bytes, overflows) = values[first + 2].multipliedReportingOverflow(by: 512)
            guard !overflows else { return nil }
            return Traffic(
                operations: values[first],
                merged: values[first + 1],
                bytes: bytes,
                milliseconds: values[first + 3]
            )
        }
        guard let read = traffic(0), let written = traffic(4) else { return nil }
        (device, self.read, self.written, busyMilliseconds) = (words[2].string, read, written, values[9])
    }
}
