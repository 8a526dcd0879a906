import Foundation
import PhoenixGraph

/// A state with the journals that lie beside it, of whichever nodes.
extension StateFile {
    /// The names under which what cannot be read is set aside, the newest first; what is older than that is removed.
    private static let asideNames = ["damaged", "damaged-2", "damaged-3"]

    /// The journals beside it, also of nodes that nobody knows any more.
    var journals: [(node: NodeID, file: StateFile)] {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            let start = path.split(separator: "/").last.map { "\($0)." } ?? ""
            return names.compactMap { name -> (node: NodeID, file: StateFile)? in
                guard name.hasPrefix(start) else { return nil }
                // No name of a node has a dot: these are of another state, or of one that was set aside.
                let words = name.dropFirst(start.count).split(
                    separator: ".",
                    omittingEmptySubsequences: false
                )
                guard words.count == 2, Graph.isID(String(words[0])), StateJournalFile.isNumber(words[1])
                else {
                    return nil
                }
                let file = StateFile(path: "\(path).\(words[0]).\(words[1])")
                // Another process may have named its state like that.
                guard !StateFile(path: file.path + ".lock").exists else { return nil }
                return (String(words[0]), file)
            }
        }
    }

    /// Keeps what is there, with its journals, for people to look at and to go back to.
    func setAside() throws {
        let places = Self.asideNames.map { StateFile(path: "\(path).\($0)") }
        let free = places.firstIndex { !$0.exists } ?? places.count - 1
        if places[free].exists { try places[free].removeAll() }
        for index in (0..<free).reversed() { try places[index].moveAll(to: places[index + 1]) }
        try moveAll(to: places[0])
    }
    /// The state goes last: where this is cut off, the next start does the rest.
    private func moveAll(to other: Self) throws {
        for (node, file) in try journals {
            let number = file.path.split(separator: ".").last ?? ""
            try file.move(to: StateFile(path: "\(other.path).\(node).\(number)"))
        }
        try move(to: other)
    }
    private func removeAll() throws {
        for (_, file) in try journals { try file.remove() }
        try remove()
    }
}
