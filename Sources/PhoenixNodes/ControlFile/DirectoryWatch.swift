import Foundation
import PhoenixModel

/// Tells when a writer has closed a file of a directory or moved one to its name: the kernel's word, where it gives it.
///
/// A convenience: who waits for it must look by itself from time to time, since not every file system tells.
enum DirectoryWatch {
    /// One element for each time that something was done to `name`; ends at once where the kernel cannot watch.
    static func events(of name: String, in directory: String) -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            #if os(Linux)
            // The kernel looks the directory up, and may wait for the disk: on a thread that is not of the pool.
            let thread = DispatchQueue(label: "phoenix.file.watch")
            let watching = Lock(Watching())
            continuation.onTermination = { _ in watching.withLock { $0.end() } }
            thread.async {
                let isWatched = begin(directory, thread, watching) { watch in
                    if drain(watch, of: name) { continuation.yield() }
                }
                if !isWatched { continuation.finish() }
            }
            #else
            continuation.finish()
            #endif
        }
    }

    #if os(Linux)
    private struct Watching {
        private var source: (any DispatchSourceRead)?
        private var isOver = false

        /// Begins, unless nobody waits any more.
        mutating func begin(_ source: any DispatchSourceRead) {
            source.activate()
            if isOver { source.cancel() } else { self.source = source }
        }
        mutating func end() {
            isOver = true
            source?.cancel()
            source = nil
        }
    }
    /// Has the kernel tell of a directory; false where it cannot.
    private static func begin(
        _ directory: String,
        _ thread: DispatchQueue,
        _ watching: Lock<Watching>,
        _ tell: @escaping @Sendable (_ watch: Int32) -> Void
    ) -> Bool {
        let watch = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard watch >= 0 else { return false }
        let mask = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE)
        guard inotify_add_watch(watch, directory, mask) >= 0 else {
            close(watch)
            return false
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: watch, queue: thread)
        source.setEventHandler { tell(watch) }
        source.setCancelHandler { close(watch) }
        watching.withLock { $0.begin(source) }
        return true
    }

    /// Reads all that the kernel has to say (inotify(7): four words of 32 bits, the last the length of the name behind).
    private static func drain(_ watch: Int32, of name: String) -> Bool {
        var isMeant = false
        var bytes = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = bytes.withUnsafeMutableBytes { read(watch, $0.baseAddress, $0.count) }
            guard count > 0 else { return isMeant }
            var offset = 0
            while offset + 16 <= count {
                let length = bytes.withUnsafeBytes {
                    Int($0.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                }
                let end = min(offset + 16 + length, count)
                let text = bytes[(offset + 16)..<end].prefix { $0 != 0 }
                if text.elementsEqual(name.utf8) { isMeant = true }
                offset = end
            }
        }
    }
    #endif
}
