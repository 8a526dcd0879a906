#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why a state is not where it should be.
extension StateFile {
    /// Why the system would not.
    struct Failure: Error, CustomStringConvertible {
        let what: String
        let path: String
        let code: Int32
        var description: String {
            let failure = "cannot \(what) `\(path)`: \(String(cString: strerror(code)))"
            return remedy.map { "\(failure); \($0)" } ?? failure
        }
        /// What helps, where that is known.
        var remedy: String? {
            switch code {
            case EACCES, EPERM: permission
            case ENOSPC, EDQUOT: "make room there"
            case EROFS: "mount its file system for writing"
            default: nil
            }
        }
        private var permission: String {
            let user = geteuid()
            guard let owner = StateFile(path: path).owner, owner != user else {
                return "let user \(user), as whom this process runs, read and write it and its directory"
            }
            return """
                it belongs to user \(owner), and this process runs as user \(user): give it and what lies beside it to that \
                one (`chown \(user)`), or start the process as its owner
                """
        }
    }

    /// The path is not one of a file.
    struct NoFile: Error, CustomStringConvertible {
        let path: String
        let isDirectory: Bool
        var description: String {
            isDirectory
                ? "`\(path)` is a directory; name a file in it as `path` in `state`, like `\(path)/state`"
                : "`\(path)` is no regular file; name one, or one that is not there yet, as `path` in `state`"
        }
    }

    /// Nothing can be made where the path says.
    struct NoPlace: Error, CustomStringConvertible {
        let cause: Failure
        var description: String {
            cause.remedy == nil
                ? "\(cause); make its directory and let the process write there, or name another `path` in `state`"
                : "\(cause); or name another `path` in `state`"
        }
    }

    /// Another process has the path.
    struct InUse: Error, CustomStringConvertible {
        let path: String
        var description: String {
            "another process keeps its state in `\(path)`; give each process a `path` of its own in `state`"
        }
    }

    /// Another process took the path over from this one.
    struct Displaced: Error, CustomStringConvertible {
        let path: String
        var description: String {
            """
            `\(path).lock` was removed while this process ran, and another process keeps its state in `\(path)` since; end one \
            of the two, and give each a `path` of its own in `state`
            """
        }
    }
}
