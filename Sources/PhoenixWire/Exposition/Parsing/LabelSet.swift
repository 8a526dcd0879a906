/// The labels of a sample or a target, its name as `__name__` among them: sorted, each name once.
///
/// A label with an empty value is, to Prometheus, none; a scraped one is kept as empty until it was merged, since it keeps a
/// target's label away where scraped labels are honoured.
public struct LabelSet: Sendable, Hashable, CustomStringConvertible {
    public static let name = "__name__"
    public private(set) var labels: [ExposedLabel]

    public init() { labels = [] }
    /// Of several values for one name the last counts.
    public init(_ pairs: some Sequence<(key: String, value: String)>) {
        labels = []
        for (name, value) in pairs { set(name, to: value) }
    }

    private func place(of name: String) -> (index: Int, isFound: Bool) {
        var (low, high) = (0, labels.count)
        while low < high {
            let middle = (low + high) / 2
            // By bytes: to Swift's strings, names that differ in their composition only would be one.
            if labels[middle].name.utf8.lexicographicallyPrecedes(name.utf8) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return (low, low < labels.count && labels[low].name.utf8.elementsEqual(name.utf8))
    }
    /// The value of a label; empty where there is none. To assign an empty value removes the label.
    public subscript(name: String) -> String {
        get {
            let (index, isFound) = place(of: name)
            return isFound ? labels[index].value : ""
        }
        set { if newValue.isEmpty { remove(name) } else { set(name, to: newValue) } }
    }
    /// Whether the label is there, be it with an empty value.
    public func contains(_ name: String) -> Bool { place(of: name).isFound }
    /// Sets a label even to an empty value.
    mutating func set(_ name: String, to value: String) {
        let (index, isFound) = place(of: name)
        if isFound {
            labels[index].value = value
        } else {
            labels.insert(ExposedLabel(name, value), at: index)
        }
    }
    public mutating func remove(_ name: String) {
        let (index, isFound) = place(of: name)
        if isFound { labels.remove(at: index) }
    }
    /// Removes the labels that a test does not let through.
    public mutating func keep(where isKept: (ExposedLabel) -> Bool) { labels.removeAll { !isKept($0) } }

    public var description: String {
        let pairs = labels.filter { $0.name != Self.name }.map { "\($0.name)=\"\($0.value)\"" }
        return "\(self[Self.name]){\(pairs.joined(separator: ", "))}"
    }
}

extension ExpositionCursor {
    /// How long the name and labels of the sample are that the cursor stands on; reads as little of them as it can.
    func lengthOfSeries() throws(Misread) -> Int {
        var cursor = self
        if cursor.next != .openBrace { _ = try cursor.name(colons: true, .name) }
        let named = cursor.position
        if !isOpen { cursor.skipBlanks() }
        guard cursor.next == .openBrace else { return named - position }
        while cursor.next != .closeBrace {
            guard !cursor.isAtEnd, cursor.next != .lineFeed else { throw cursor.misread(.labelsEnd) }
            if cursor.next == .quote { try cursor.skipQuoted() } else { cursor.position += 1 }
        }
        return cursor.position + 1 - position
    }
    /// The name and labels of a sample, checked in full; the cursor stands behind them afterwards.
    mutating func series() throws(Misread) -> LabelSet {
        var set = LabelSet()
        if next != .openBrace {
            set.set(LabelSet.name, to: String(decoding: try name(colons: true, .name), as: UTF8.self))
            if !isOpen { skipBlanks() }
        }
        if next == .openBrace { try labels(into: &set) }
        guard !set[LabelSet.name].isEmpty else { throw misread(.noName) }
        return set
    }
    /// Labels between braces; a quoted text alone is the name.
    mutating func labels(into set: inout LabelSet) throws(Misread) {
        position += 1
        if !isOpen { skipBlanks() }
        while next != .closeBrace {
            try label(into: &set)
            if !isOpen { skipBlanks() }
            if next == .closeBrace { break }
            guard next == .comma else { throw misread(.labelsEnd) }
            position += 1
            if !isOpen { skipBlanks() }
            if next == .closeBrace, isOpen { throw misread(.labelName) }
        }
        position += 1
    }
    private mutating func label(into set: inout LabelSet) throws(Misread) {
        let from = self
        let isQuoted = next == .quote
        let name =
            isQuoted ? try quoted() : String(decoding: try name(colons: false, .labelName), as: UTF8.self)
        guard !name.isEmpty else { throw from.misread(.labelName) }
        if !isOpen { skipBlanks() }
        guard next == UInt8(ascii: "=") else {
            guard isQuoted else { throw misread(.labelValue) }
            guard !set.contains(LabelSet.name) else { throw from.misread(.doubleName) }
            set.set(LabelSet.name, to: name)
            return
        }
        position += 1
        if !isOpen { skipBlanks() }
        guard next == .quote else { throw misread(.labelValue) }
        guard !set.contains(name) else {
            throw from.misread(name == LabelSet.name ? .doubleName : .duplicateLabel(name))
        }
        set.set(name, to: try quoted())
    }
}
