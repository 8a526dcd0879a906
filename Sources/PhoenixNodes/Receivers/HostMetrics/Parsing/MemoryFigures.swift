/// `/proc/meminfo`, in bytes (proc_meminfo(5)).
struct MemoryFigures: Sendable, Equatable {
    var total: UInt64
    var free: UInt64
    var buffers: UInt64
    var cached: UInt64
    /// Of kernels since 3.14.
    var available: UInt64?
    var shared: UInt64?
    var reclaimableSlab: UInt64?
    var unreclaimableSlab: UInt64?

    init?(_ text: KernelText) {
        let values = text.namedNumbers
        guard let total = values["MemTotal"], let free = values["MemFree"] else { return nil }
        (self.total, self.free) = (total, free)
        (buffers, cached) = (values["Buffers"] ?? 0, values["Cached"] ?? 0)
        (available, shared) = (values["MemAvailable"], values["Shmem"])
        (reclaimableSlab, unreclaimableSlab) = (values["SReclaimable"], values["SUnreclaim"])
    }

    /// What cannot be had for the asking: as the semantic conventions define it, all that is not available.
    var used: UInt64 {
        let rest = available ?? (free &+ buffers &+ cached)
        return total - min(total, rest)
    }
}
