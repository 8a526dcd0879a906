import Foundation

/// What tells one content of a file from another without reading it; also of one that is missing.
struct FileSignature: Equatable {
    private var size: UInt64?
    private var modified: Date?
    private var inode: UInt64?

    init(_ path: String) {
        // Of the file that a link leads to: orchestrators swap links.
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: real) else { return }
        size = (attributes[.size] as? NSNumber)?.uint64Value
        modified = attributes[.modificationDate] as? Date
        inode = (attributes[.systemFileNumber] as? NSNumber)?.uint64Value
    }

    static func all(_ paths: [String]) -> [String: FileSignature] {
        [String: FileSignature](paths.map { ($0, FileSignature($0)) }) { first, _ in first }
    }
}
