/// A strict reader of both text formats, written apart from the writer: it throws at whatever a scraper might refuse.
struct ExpositionReader {
    struct Problem: Error, CustomStringConvertible {
        var description: String
        init(_ text: String, _ line: String = "") { description = "\(text): \(line)" }
    }
    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: Double
        var time: String?
        var exemplar: String?
    }
    struct Family {
        var name: String
        var type = "untyped"
        var unit: String?
        var help: String?
        var samples: [Sample] = []
    }
    private(set) var families: [Family] = []
    let isOpen: Bool
    private var seen: Set<String> = []
    private var closed: Set<String> = []
    private var claimed: [String: String] = [:]

    init(_ bytes: [UInt8], _ isOpenMetrics: Bool) throws {
        isOpen = isOpenMetrics
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Problem("not UTF-8") }
        if text.isEmpty && !isOpen { return }
        guard text.hasSuffix("\n") else { throw Problem("no line feed at the end") }
        guard !text.utf8.contains(13) || text.contains("\"") else { throw Problem("carriage return") }
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0)
        }
        lines.removeLast()
        if isOpen {
            guard lines.last == "# EOF" else { throw Problem("no # EOF") }
            lines.removeLast()
        }
        for line in lines {
            if line.hasPrefix("#") { try comment(line) } else { try sample(line) }
        }
        for family in families {
            guard !family.samples.isEmpty else { throw Problem("a family without samples", family.name) }
            try check(family)
        }
        KeptExpositions.keep(bytes, isOpen ? "openmetrics" : "text")
    }
    subscript(name: String) -> Family? { families.first { $0.name == name } }
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        for family in families {
            if let sample = family.samples.first(where: { $0.name == name && $0.labels == labels }) {
                return sample.value
            }
        }
        return nil
    }

    private mutating func comment(_ line: String) throws {
        var rest = Array(line.unicodeScalars)[...]
        guard rest.starts(with: "# ".unicodeScalars) else { throw Problem("comment", line) }
        rest = rest.dropFirst(2)
        let keyword = Self.word(&rest)
        guard ["HELP", "TYPE", "UNIT"].contains(keyword), rest.popFirst() == " " else {
            throw Problem("comment", line)
        }
        let name = try Self.name(&rest, line)
        guard rest.popFirst() == " " else { throw Problem("comment", line) }
        let text = String(String.UnicodeScalarView(rest))
        if families.last?.name != name {
            guard !families.contains(where: { $0.name == name }) else { throw Problem("interleaved", line) }
            families.append(Family(name: name))
            families[families.count - 1].type = ""
        }
        let last = families.count - 1
        guard families[last].samples.isEmpty else { throw Problem("comment after samples", line) }
        switch keyword {
        case "TYPE":
            let words =
                isOpen
                ? ["counter", "gauge", "histogram", "summary", "info", "unknown", "stateset"]
                : ["counter", "gauge", "histogram", "summary", "untyped"]
            guard words.contains(text), families[last].type.isEmpty else { throw Problem("type", line) }
            families[last].type = text
            for suffix in suffixes(text) {
                guard claimed[name + suffix] == nil else { throw Problem("clash", line) }
                claimed[name + suffix] = name
            }
        case "UNIT":
            guard isOpen, name.hasSuffix("_" + text), families[last].unit == nil else {
                throw Problem("unit", line)
            }
            families[last].unit = text
        default:
            guard families[last].help == nil else { throw Problem("two HELP", line) }
            families[last].help = text
        }
    }
    private func suffixes(_ type: String) -> [String] {
        switch type {
        case "counter": isOpen ? ["", "_total", "_created"] : [""]
        case "histogram": ["", "_bucket", "_sum", "_count"] + (isOpen ? ["_created"] : [])
        case "summary": ["", "_sum", "_count"] + (isOpen ? ["_created"] : [])
        case "info": ["", "_info"]
        default: [""]
        }
    }
    private static func word(_ rest: inout ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        while let next = rest.first, !"{ =,}".unicodeScalars.contains(next) {
            text.unicodeScalars.append(next)
            rest.removeFirst()
        }
        return text
    }
    /// What stands between quotes, its escapes undone.
    private static func quoted(_ rest: inout ArraySlice<Unicode.Scalar>, _ line: String) throws -> String {
        guard rest.popFirst() == "\"" else { throw Problem("quote", line) }
        var text = ""
        while let next = rest.popFirst() {
            if next == "\"" { return text }
            guard next == "\\" else {
                text.unicodeScalars.append(next)
                continue
            }
            guard let escaped = rest.popFirst(), "\\n\"".unicodeScalars.contains(escaped) else {
                throw Problem("escape", line)
            }
            text.unicodeScalars.append(escaped == "n" ? "\n" : escaped)
        }
        throw Problem("quote", line)
    }
    /// A name in quotes, which it must need, or one that needs none.
    private static func name(
        _ rest: inout ArraySlice<Unicode.Scalar>,
        _ line: String,
        colons: Bool = true
    ) throws -> String {
        guard rest.first == "\"" else {
            let name = word(&rest)
            guard isName(name), colons || !name.contains(":") else { throw Problem("name", line) }
            return name
        }
        let name = try quoted(&rest, line)
        guard !isName(name) || (!colons && name.contains(":")) else { throw Problem("needless quotes", line) }
        return name
    }
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.utf8.first!.isNumber
            && name.utf8.allSatisfy {
                $0.isNumber || ($0 | 32 >= 97 && $0 | 32 <= 122) || $0 == 95 || $0 == 58
            }
    }

    private mutating func sample(_ line: String) throws {
        var rest = Array(line.unicodeScalars)[...]
        let isQuoted = rest.starts(with: "{\"".unicodeScalars)
        if isQuoted { rest.removeFirst() }
        let name = try Self.name(&rest, line)
        var labels: [String: String] = [:]
        if isQuoted || rest.first == "{" {
            if rest.first == "{" || rest.first == "," { rest.removeFirst() }
            while rest.first != "}" {
                let label = try Self.name(&rest, line, colons: false)
                guard rest.popFirst() == "=" else { throw Problem("label", line) }
                guard labels.updateValue(try Self.quoted(&rest, line), forKey: label) == nil else {
                    throw Problem("label twice", line)
                }
                guard rest.first == "," || rest.first == "}" else { throw Problem("labels", line) }
                if rest.first == "," { rest.removeFirst() }
            }
            rest.removeFirst()
        }
        guard rest.popFirst() == " " else { throw Problem("space", line) }
        var exemplar: String?
        var tail = String(String.UnicodeScalarView(rest))
        if let mark = tail.firstRange(of: " # ") {
            guard isOpen, name.hasSuffix("_total") || name.hasSuffix("_bucket") else {
                throw Problem("exemplar", line)
            }
            exemplar = String(tail[mark.upperBound...])
            tail = String(tail[..<mark.lowerBound])
        }
        let parts = tail.split(separator: " ", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let value = Self.number(parts[0]) else {
            throw Problem("value", line)
        }
        let key =
            name
            + labels.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map {
                "\($0.key)=\($0.value)\u{1}"
            }.joined()
        guard seen.insert(key).inserted else { throw Problem("duplicate", line) }
        guard let last = families.indices.last,
            suffixes(families[last].type).map({ families[last].name + $0 }).contains(name)
        else { throw Problem("outside its family", line) }
        families[last].samples.append(
            Sample(
                name: name,
                labels: labels,
                value: value,
                time: parts.dropFirst().first.map(String.init),
                exemplar: exemplar
            )
        )
    }
    static func number(_ text: Substring) -> Double? {
        switch text {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: text.first == "." || text.contains("n") ? nil : Double(text)
        }
    }
    private func check(_ family: Family) throws {
        if family.type == "counter", isOpen {
            for sample in family.samples where !(sample.value >= 0) {
                throw Problem("counter value", family.name)
            }
            guard family.samples.allSatisfy({ $0.name != family.name }) else {
                throw Problem("no _total", family.name)
            }
        }
        guard family.type == "histogram" else { return }
        var last: (labels: [String: String], bound: Double, count: Double)?
        for sample in family.samples where sample.name.hasSuffix("_bucket") {
            var labels = sample.labels
            guard let le = labels.removeValue(forKey: "le"), let bound = Self.number(Substring(le)) else {
                throw Problem("le", family.name)
            }
            if let last, last.labels == labels, last.bound < .infinity {
                guard last.bound < bound, last.count <= sample.value else {
                    throw Problem("buckets", family.name)
                }
            } else if let last, last.bound < .infinity {
                throw Problem("no +Inf", family.name)
            }
            last = (labels, bound, sample.value)
        }
        guard last?.bound == .infinity else { throw Problem("no +Inf", family.name) }
    }
}

extension UInt8 {
    fileprivate var isNumber: Bool { self >= 48 && self <= 57 }
}
