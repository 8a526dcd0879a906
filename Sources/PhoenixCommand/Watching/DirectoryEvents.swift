import Foundation

#if canImport(Glibc)
import Glibc

/// Tells when something happens in directories, by inotify; what happened is for the reader to find out.
///
/// Directories are watched and not files, since editors write a new file and rename it over the old one.
final class DirectoryEvents {
    private let descriptor: Int32
    private let source: any DispatchSourceRead
    private var watched: Set<String> = []

    /// Nil where the system has no inotify instance left: then only polling helps.
    init?(_ tell: @escaping @Sendable () -> Void) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler {
            // What is read is of no interest; unread it would tell again at once.
            var bytes = [UInt8](repeating: 0, count: 4096)
            while read(descriptor, &bytes, bytes.count) > 0 { continue }
            tell()
        }
        source.setCancelHandler { close(descriptor) }
        source.resume()
    }
    deinit { source.cancel() }

    /// Watches the directories of these files too.
    func watch(directoriesOf files: [String]) {
        // Attributes as well: a file that could not be read may be readable now.
        let kinds = [IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_ATTRIB]
        let mask = kinds.reduce(UInt32(0)) { $0 | UInt32($1) }
        for directory in Set(files.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path })
        where !watched.contains(directory) {
            // One that cannot be watched is polled.
            if inotify_add_watch(descriptor, directory, mask) >= 0 { watched.insert(directory) }
        }
    }
}
#else
/// There is no inotify here: files are polled.
final class DirectoryEvents {
    init?(_ tell: @escaping @Sendable () -> Void) { return nil }
    func watch(directoriesOf files: [String]) {}
}
#endif
