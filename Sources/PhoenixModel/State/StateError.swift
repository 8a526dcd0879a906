/// Why a saved state is not read.
public enum StateError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The bytes are none that this build wrote; the text says what they are.
    case alien(String)
    /// The bytes were changed or cut off since they were written; the text says where.
    case damaged(String)
    /// A part is not what its version says: `what` names it.
    case malformed(what: String)
    public var description: String {
        switch self {
        case .alien(let what): "it is no state that this version reads: \(what)"
        case .damaged(let place): "it is damaged: \(place)"
        case .malformed(let what): "it does not make sense: \(what)"
        }
    }
}

/// How saved states lie in a file: a magic word, then frames, each with a checksum over its kind, its place and its bytes.
///
/// A section, the memory of one node, begins with a frame of its own, so that one that nobody wants is skipped. Without the
/// last frame, or with anything behind it, the file is damaged.
enum StateFrame {
    enum Kind: UInt8 {
        case section = 1
        case continuation = 2
        case end = 3
    }
    /// The last byte is the version of the format.
    static let magic = Array("PHXSTAT\u{2}".utf8)
    static let maximumLength = 1 << 16
    /// Kind, length, checksum.
    static let headerLength = 13

    static func checksum(_ bytes: UnsafeRawBufferPointer, _ kind: Kind, index: UInt64) -> UInt64 {
        foldHash(bytes, seed: index << 8 | UInt64(kind.rawValue))
    }
}
