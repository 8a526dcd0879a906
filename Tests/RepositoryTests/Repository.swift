import Foundation

/// The files of this repository, as they lie on the disk.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }
    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// The paths of all files below a directory, sorted; hidden ones and what a build makes are left out.
    static func files(below directory: String, ending: String) -> [String] {
        let base = root.appendingPathComponent(directory).path
        guard let all = FileManager.default.enumerator(atPath: base) else { return [] }
        let names = all.compactMap { $0 as? String }
        return names.filter {
            $0.hasSuffix(ending) && !$0.split(separator: "/").contains { $0.hasPrefix(".") }
        }
        .map { "\(directory)/\($0)" }.sorted()
    }

    /// A Swift file's lines with their numbers, without comments and without the words of string literals.
    static func code(_ path: String) throws -> [(number: Int, line: String)] {
        try text(path).split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
            index,
            line in
            let code = stripped(line)
            return code.allSatisfy(\.isWhitespace) ? nil : (index + 1, code)
        }
    }

    private static func stripped(_ line: Substring) -> String {
        var result = ""
        var isText = false
        var last: Character = " "
        for character in line {
            if character == "\"", last != "\\" { isText.toggle() }
            if !isText, character == "/", last == "/" {
                result.removeLast()
                return result
            }
            if !isText || character == "\"" { result.append(character) }
            last = character
        }
        return result
    }
}
