import Foundation
public import PhoenixGraph
import PhoenixModel

/// `file_sd_configs`: files that hold groups of targets, in YAML or JSON.
public struct FileDiscoveryConfig: ObjectValue {
    public var files: [String] = []
    public var refreshInterval = Duration.seconds(5)
    public init() {}
    public static let fields: [Field<FileDiscoveryConfig>] = [
        Field(
            "files",
            \.files,
            required: true,
            "Paths of `.yml`, `.yaml` or `.json` files; the last part may hold one `*`."
        ),
        Field(
            "refresh_interval",
            \.refreshInterval,
            in: .milliseconds(100)...(.seconds(86_400)),
            "The time between two looks at the files; only those that changed are read."
        ),
    ]
    public func check(_ marks: FieldMarks, _ report: inout Report) {
        for path in files {
            let name = path.split(separator: "/").last ?? ""
            let hasEnding = [".yml", ".yaml", ".json"].contains { name.hasSuffix($0) }
            let stars = path.count { $0 == "*" }
            guard !hasEnding || stars > 1 || stars != name.count(where: { $0 == "*" }) else { continue }
            report.add(
                at: marks["files"],
                "`\(path)` cannot be watched",
                mend: "end it in .yml, .yaml or .json, with at most one `*`, in its last part"
            )
        }
    }
}

/// Reads files of targets when they change; a broken one keeps what it said before.
struct FileDiscovery: TargetDiscovery {
    /// What changes when a file is written or replaced, or a link to it is.
    private typealias Stamp = ControlFileStore.Signature
    private static let mostBytes = 64 << 20
    private let config: FileDiscoveryConfig
    private var known: [String: (stamp: Stamp, groups: [ScrapeGroup])] = [:]
    private var isFirst = true
    private var thread: FileThread?
    private struct Finding: Sendable {
        var known: [String: (stamp: Stamp, groups: [ScrapeGroup])]
        var groups: [ScrapeGroup]?
        var problems: [GroupsProblem]
    }
    /// What a look found that took longer than it was waited for.
    private let late = Lock<Finding?>(nil)
    var interval: Duration { config.refreshInterval }

    init(_ config: FileDiscoveryConfig) { self.config = config }

    mutating func look(_ world: DiscoveryWorld) async throws -> [ScrapeGroup]? {
        let thread = thread ?? FileThread(world.context, config.files.joined(separator: ", "))
        self.thread = thread
        let before = self
        let answer = await thread.run(keeping: late) { () -> Finding in
            var now = before
            let found = now.survey()
            return Finding(known: now.known, groups: found.groups, problems: found.problems)
        }
        // Files that do not answer say what they said before.
        guard let found = answer else { return nil }
        (known, isFirst) = (found.known, false)
        for problem in found.problems { world.warn("\(problem)") }
        return found.groups
    }
    /// Looks at all files; nil for groups that are as before.
    private mutating func survey() -> (groups: [ScrapeGroup]?, problems: [GroupsProblem]) {
        var problems: [GroupsProblem] = []
        var (found, isChanged) = ([String: (stamp: Stamp, groups: [ScrapeGroup])](), isFirst)
        for path in paths where found[path] == nil {
            guard let stamp = ControlFileStore(path: path).signature else { continue }
            if let before = known[path], before.stamp == stamp {
                found[path] = before
                continue
            }
            switch Self.read(path) {
            case .success(let groups): (found[path], isChanged) = ((stamp, groups), true)
            case .failure(let problem):
                problems.append(problem)
                // Said once for each state of the file.
                found[path] = (stamp, known[path]?.groups ?? [])
            }
        }
        for (path, before) in known where found[path] == nil {
            // A file that is gone for a moment is being replaced; one that is gone for good leaves with its targets.
            isChanged = isChanged || !before.groups.isEmpty
        }
        // Trouble at the first look is no answer: nothing may be taken for gone.
        if isFirst, !problems.isEmpty, found.values.allSatisfy(\.groups.isEmpty) { isChanged = false }
        (known, isFirst) = (found, false)
        return (isChanged ? found.sorted { $0.key < $1.key }.flatMap(\.value.groups) : nil, problems)
    }

    private var paths: [String] {
        config.files.flatMap { pattern -> [String] in
            guard let star = pattern.firstIndex(of: "*") else { return [pattern] }
            let slash = pattern.lastIndex(of: "/")
            let directory = slash.map { String(pattern[...$0]) } ?? "./"
            let begin = slash.map { pattern.index(after: $0) } ?? pattern.startIndex
            let (head, tail) = (pattern[begin..<star], pattern[pattern.index(after: star)...])
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            return names.filter {
                $0.hasPrefix(head) && $0.hasSuffix(tail) && $0.count >= head.count + tail.count
            }.sorted().map { (slash == nil ? "" : directory) + $0 }
        }
    }
    private static func read(_ path: String) -> Result<[ScrapeGroup], GroupsProblem> {
        let data: Data
        do throws(UnreadableFile) { data = Data(try RegularFile.contents(of: path, limit: mostBytes)) } catch
        {
            return .failure(GroupsProblem(description: "\(path): \(error); what it said before holds on"))
        }
        let written =
            path.hasSuffix(".json")
            ? GroupsProblem.groups(inJSON: data).mapError { GroupsProblem(description: "\(path): \($0)") }
            : GroupsProblem.groups(inYAML: String(decoding: data, as: UTF8.self), from: path)
        return written.map { groups in
            groups.map { group in
                var group = group
                group.labels["__meta_filepath"] = path
                return group
            }
        }
    }
}
