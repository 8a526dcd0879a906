/// A type that a setting may have: how it is read, shown and described.
public protocol FieldValue: Sendable, Equatable {
    /// What the reference pages and the JSON Schema say of the type.
    static var shape: Shape { get }
    /// Reads the value; on failure reports every reason with its place and answers nil.
    static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self?
    /// The value as one would write it in a graph file, for defaults in the reference; `***` for a secret.
    var text: String { get }
}

/// The problems found while settings are read; all of them, not the first.
public struct Report: Sendable {
    public private(set) var diagnostics: [Diagnostic] = []
    public init() {}
    public mutating func add(at mark: Mark, _ message: String, mend remedy: String) {
        diagnostics.append(Diagnostic(at: mark, message, mend: remedy))
    }
    public mutating func add(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }
    public mutating func add(contentsOf others: some Sequence<Diagnostic>) {
        diagnostics.append(contentsOf: others)
    }
    /// Names, in what was added after the first `count`, where the settings that it speaks of come from: its place may be
    /// that of a node that writes none of them.
    mutating func tell(_ sources: [String: String], after count: Int) {
        for index in diagnostics.indices.dropFirst(count) {
            let text = diagnostics[index].message + diagnostics[index].remedy
            let told = sources.sorted { $0.key < $1.key }.filter { text.contains("`\($0.key)`") }
                .map { "`\($0.key)` is what `\($0.value)` stands for" }
            if !told.isEmpty { diagnostics[index].message += " (\(told.joined(separator: ", ")))" }
        }
    }
}

/// What may be written for a setting.
public indirect enum Shape: Sendable, Hashable {
    case boolean
    case integer(minimum: Int?, maximum: Int?)
    case number(minimum: Double?, maximum: Double?)
    /// Text; `format` names what it must look like: `duration`, `bytes`, `regex`, `address`, `secret`.
    case string(format: String?)
    case choice([String])
    case list(Shape)
    /// Any keys, values of one shape.
    case map(Shape)
    /// Named settings of their own.
    case object([FieldSpec])
    case either([Shape])
}

/// A field without its Config's type: for reference pages, the schema, suggestions and the diff.
public struct FieldSpec: Sendable, Hashable {
    public var name: String
    public var doc: String
    public var shape: Shape
    public var isRequired: Bool
    /// Whether it is changed in place, at a batch boundary; otherwise a change replaces the node.
    public var isLive: Bool
    public var defaultText: String?
    /// The limits of the value in words, such as `at least 1`.
    public var limits: String?
    /// Where the value comes from in a graph that does not say it.
    public var variable: EnvironmentVariable?
    public init(
        name: String,
        doc: String,
        shape: Shape,
        isRequired: Bool,
        isLive: Bool,
        defaultText: String?,
        limits: String? = nil
    ) {
        (self.name, self.doc, self.shape) = (name, doc, shape)
        (self.isRequired, self.isLive, self.defaultText) = (isRequired, isLive, defaultText)
        self.limits = limits
    }
}

/// The environment variable that gives a setting which a graph file leaves out: a file's own word always wins.
public struct EnvironmentVariable: Sendable, Hashable {
    public var name: String
    /// What is written behind the variable's text to make it the setting: `s` for a number of seconds.
    public var unit: String
    public init(_ name: String, unit: String = "") { (self.name, self.unit) = (name, unit) }
}

/// One setting of a node type: the single source of its name, meaning, type, default and place in the schema.
public struct Field<Config: Sendable & Equatable>: Sendable {
    public let name: String
    public let doc: String
    public let shape: Shape
    public let isRequired: Bool
    public let isLive: Bool
    /// The limits of the value in words, such as `at least 1`.
    public let limits: String?
    /// Where the value comes from in a graph that does not say it.
    public private(set) var variable: EnvironmentVariable?
    /// Reads the setting into `config`; false when it did not fit (and the report says why).
    public let read: @Sendable (ConfigTree, inout Config, inout Report) -> Bool
    public let isEqual: @Sendable (Config, Config) -> Bool
    public let text: @Sendable (Config) -> String

    public init<Value: FieldValue>(
        _ name: String,
        _ path: any WritableKeyPath<Config, Value> & Sendable,
        required: Bool = false,
        live: Bool = false,
        _ doc: String
    ) {
        self.init(name, path, Value.shape, nil, required, live, doc) { _ in true }
    }

    /// A setting that must lie in a range: `in: 1...100`.
    public init<Value: FieldValue & Comparable>(
        _ name: String,
        _ path: any WritableKeyPath<Config, Value> & Sendable,
        required: Bool = false,
        live: Bool = false,
        in range: ClosedRange<Value>,
        _ doc: String
    ) {
        let limits = "from \(range.lowerBound.text) to \(range.upperBound.text)"
        let shape = Value.shape.limited(from: range.lowerBound, to: range.upperBound)
        self.init(name, path, shape, limits, required, live, doc) { [range] in range.contains($0) }
    }

    /// A setting with a least value: `in: 1...`.
    public init<Value: FieldValue & Comparable>(
        _ name: String,
        _ path: any WritableKeyPath<Config, Value> & Sendable,
        required: Bool = false,
        live: Bool = false,
        in range: PartialRangeFrom<Value>,
        _ doc: String
    ) {
        let limits = "at least \(range.lowerBound.text)"
        let shape = Value.shape.limited(from: range.lowerBound, to: nil)
        self.init(name, path, shape, limits, required, live, doc) { [range] in range.contains($0) }
    }

    private init<Value: FieldValue>(
        _ name: String,
        _ path: any WritableKeyPath<Config, Value> & Sendable,
        _ shape: Shape,
        _ limits: String?,
        _ required: Bool,
        _ live: Bool,
        _ doc: String,
        _ isWithin: @escaping @Sendable (Value) -> Bool
    ) {
        (self.name, self.doc, self.shape, self.limits) = (name, doc, shape, limits)
        (isRequired, isLive) = (required, live)
        read = { tree, config, report in
            guard let value = Value.decode(tree, &report) else { return false }
            guard isWithin(value) else {
                let source = tree.source.map { ": it is what `\($0)` stands for" } ?? ""
                report.add(
                    at: tree.mark,
                    "`\(name)` is out of range\(source)",
                    mend: "write a value \(limits ?? "other")"
                )
                return false
            }
            config[keyPath: path] = value
            return true
        }
        isEqual = { $0[keyPath: path] == $1[keyPath: path] }
        text = { $0[keyPath: path].text }
    }

    /// The same field, taken from an environment variable where a graph file leaves it out.
    public func orVariable(_ name: String, unit: String = "") -> Self {
        var field = self
        field.variable = EnvironmentVariable(name, unit: unit)
        return field
    }

    /// The field without its type; `defaults` gives the default's text.
    public func spec(defaults: Config) -> FieldSpec {
        let text = text(defaults)
        var spec = FieldSpec(
            name: name,
            doc: doc,
            shape: shape,
            isRequired: isRequired,
            isLive: isLive,
            defaultText: isRequired || text == "null" ? nil : text,
            limits: limits
        )
        spec.variable = variable
        return spec
    }
}

extension Shape {
    /// The same with limits, where the shape can tell them.
    func limited(from least: Any, to most: Any?) -> Shape {
        switch self {
        case .integer: .integer(minimum: least as? Int, maximum: most as? Int)
        case .number: .number(minimum: least as? Double, maximum: most as? Double)
        default: self
        }
    }
}
