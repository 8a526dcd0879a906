#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Memory that was freed, and that the C library keeps for later.
public enum FreedMemory {
    private typealias Trim = @convention(c) (_ pad: Int) -> Int32
    /// glibc's `malloc_trim`, whose header Swift's module leaves out; nil with another C library.
    private static let trim: Trim? = dlsym(nil, "malloc_trim").map { unsafeBitCast($0, to: Trim.self) }

    /// Gives whole free pages back to the system.
    ///
    /// A flood of new series is read in bigger and more batches than what
    /// follows; without this their memory would stay resident. Some milliseconds at most: to be called now and then.
    public static func giveBack() { _ = trim?(0) }
}
