/// `/proc/stat`: what the processors did, and since when (proc_stat(5)).
struct KernelStatistics: Sendable, Equatable {
    /// One processor or all together: hundredths of a second in each mode, in the kernel's order.
    struct Processor: Sendable, Equatable {
        /// nil for all together.
        var number: Int64?
        var ticks: [UInt64]
    }
    /// The modes in the order of the columns: the names of the semantic conventions, and `softirq`, for which they have none.
    /// The time of guests is in `user` and `nice` already.
    static let modes = ["user", "nice", "system", "idle", "iowait", "interrupt", "softirq", "steal"]

    var processors: [Processor] = []
    /// Seconds since 1970.
    var bootTime: UInt64?
    var processesCreated: UInt64?

    /// nil where no processor is told of.
    init?(_ text: KernelText) {
        for line in text.lines {
            if let rest = line.after("cpu") {
                let words = rest.words
                let isOne = rest.bytes.first.map { $0 != 0x20 && $0 != 0x09 } ?? false
                let number = isOne ? words.first?.number.flatMap { Int64(exactly: $0) } : nil
                guard !isOne || number != nil else { continue }
                let ticks = words.dropFirst(isOne ? 1 : 0).prefix(Self.modes.count).map(\.number)
                // Kernels before 2.6.11 had fewer columns; a column that is no number spoils its line.
                guard ticks.count >= 4, !ticks.contains(nil) else { continue }
                processors.append(Processor(number: number, ticks: ticks.compactMap { $0 }))
            } else if let time = line.after("btime ") {
                bootTime = time.words.first?.number
            } else if let count = line.after("processes ") {
                processesCreated = count.words.first?.number
            }
        }
        if processors.isEmpty { return nil }
    }
}

/// `/proc/loadavg`: the load of one, five and fifteen minutes.
struct LoadAverages: Sendable, Equatable {
    var averages: [Double]

    init?(_ text: KernelText) {
        averages = text.words.prefix(3).compactMap { Double($0.string) }
        guard averages.count == 3, averages.allSatisfy({ $0.isFinite && $0 >= 0 }) else { return nil }
    }
}
