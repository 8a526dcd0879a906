import Foundation
import PhoenixGraph

/// Why a text holds no groups of targets.
struct GroupsProblem: Error, CustomStringConvertible {
    var description: String
}

extension GroupsProblem {
    /// The groups that a YAML text holds.
    static func groups(inYAML text: String, from source: String) -> Result<[ScrapeGroup], GroupsProblem> {
        var report = Report()
        do {
            let tree = try YAMLFile.read(text, file: source)
            // A file that says nothing names no targets.
            if case .null = tree.value { return .success([]) }
            if let groups = [ScrapeGroup].decode(withEmptyNulls(tree), &report) { return .success(groups) }
        } catch {
            report.add(contentsOf: error.diagnostics)
        }
        let problems = report.diagnostics.prefix(3).map { "\($0)" }.joined(separator: "; ")
        return .failure(GroupsProblem(description: "\(problems); what it said before holds on"))
    }
    /// The groups with `targets` and `labels` that say nothing as ones that are empty, as Prometheus reads them.
    private static func withEmptyNulls(_ tree: ConfigTree) -> ConfigTree {
        guard case .list(var groups) = tree.value else { return tree }
        for index in groups.indices {
            guard case .map(var entries) = groups[index].value else { continue }
            for entry in entries.indices {
                guard case .null = entries[entry].value.value else { continue }
                if entries[entry].key == "targets" { entries[entry].value.value = .list([]) }
                if entries[entry].key == "labels" { entries[entry].value.value = .map([]) }
            }
            groups[index].value = .map(entries)
        }
        var result = tree
        result.value = .list(groups)
        return result
    }

    /// The groups that a JSON text holds; `null` is what is empty, as Go writes it.
    static func groups(inJSON text: Data) -> Result<[ScrapeGroup], GroupsProblem> {
        let problem: String
        do {
            return .success(try JSONDecoder().decode([WrittenGroup]?.self, from: text)?.map(\.group) ?? [])
        } catch let error as DecodingError {
            problem = describe(error, of: text)
        } catch { problem = "\(error)" }
        return .failure(GroupsProblem(description: "\(problem); what it said before holds on"))
    }
    private static func describe(_ error: DecodingError, of text: Data) -> String {
        func place(_ path: [any CodingKey]) -> String {
            let steps = path.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
            return steps.isEmpty ? "the text" : "`\(steps.joined())`"
        }
        switch error {
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            let remedy = #"write a list such as [{"targets": ["host:9100"], "labels": {"env": "prod"}}]"#
            return "it is no JSON (\(syntaxProblem(of: text))): \(remedy)"
        case .dataCorrupted(let context): return "\(place(context.codingPath)) \(context.debugDescription)"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            let wanted =
                switch type {
                case is String.Type: "a string"
                case is any RangeReplaceableCollection.Type: "a list"
                default: "an object"
                }
            return "\(place(context.codingPath)) is not \(wanted)"
        case .keyNotFound(let key, let context): return "\(place(context.codingPath + [key])) is missing"
        @unknown default: return "\(error)"
        }
    }
    /// Where the text stops to be JSON: the decoder does not say it, the older reader does.
    private static func syntaxProblem(of text: Data) -> String {
        if text.isEmpty { return "it is empty" }
        do {
            _ = try JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed)
            return "a number in it is too large"
        } catch {
            let said = (error as NSError).userInfo["NSDebugDescription"] as? String
            return said.map { String($0.prefix { $0 != "." }) } ?? "\(error)"
        }
    }
}

/// A group as JSON holds it (Prometheus discovery/targetgroup, `Group.UnmarshalJSON`).
private struct WrittenGroup: Decodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
    let group: ScrapeGroup

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        var group = ScrapeGroup()
        for key in container.allKeys {
            switch key.stringValue {
            case "targets":
                group.targets = try container.decode([String?]?.self, forKey: key)?.compactMap { $0 } ?? []
            case "labels":
                let labels = try container.decode([String: String?]?.self, forKey: key) ?? [:]
                group.labels = labels.compactMapValues { $0 }
                for name in labels.keys.sorted() where !ScrapeLabel.isName(name) {
                    throw Self.corrupted(
                        container.codingPath + [key],
                        "has `\(name)`, which is no label name: use letters, digits and `_`, no digit first"
                    )
                }
            default:
                throw Self.corrupted(
                    container.codingPath,
                    "has `\(key.stringValue)`: \(Suggestion.remedy(for: key.stringValue, among: ["targets", "labels"]))"
                )
            }
        }
        self.group = group
    }
    private static func corrupted(_ path: [any CodingKey], _ problem: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: path, debugDescription: problem))
    }
}
