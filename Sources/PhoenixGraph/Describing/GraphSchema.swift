/// The JSON Schema (draft 2020-12) of graph files, out of the fields of the node types: for editors.
///
/// It is a little more lenient than the loader: it knows neither links nor what several settings together get wrong.
public struct GraphSchema: Sendable {
    private let specs: NodeSpecs
    public init(_ specs: NodeSpecs) { self.specs = specs }

    /// The schema as JSON text.
    public var text: String { schema.written() + "\n" }

    private var schema: JSONText {
        let string = JSONText.object([("type", .text("string"))])
        var properties: [(String, JSONText)] = [
            ("graph", .object([("type", .text("string")), ("description", .text("The graph's name."))])),
            ("version", .object([("const", .integer(1))])),
            (
                "include",
                .object([("description", .text("Parts of the graph.")), ("anyOf", oneOrMany(string))])
            ),
        ]
        var definitions: [(String, JSONText)] = []
        for role in Role.allCases {
            let types = specs.sorted.filter { $0.type.role == role }
            properties.append((role.section, section(role, types)))
            definitions.append((role.rawValue, .object(node(role, types))))
            definitions += types.map { ("\(role.rawValue).\($0.type.name)", .object(definition($0))) }
        }
        for spec in specs.settings.values.sorted(by: { $0.name < $1.name }) {
            let object =
                [("description", JSONText.text(spec.summary))] + self.object(spec.fields, besides: [])
            properties.append((spec.name, .object(object)))
        }
        return .object([
            ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
            ("title", .text("Phoenix graph")),
            ("type", .text("object")),
            ("properties", .object(properties)),
            ("additionalProperties", .boolean(false)),
            ("$defs", .object(definitions)),
        ])
    }

    private func reference(_ name: String) -> JSONText { .object([("$ref", .text("#/$defs/\(name)"))]) }

    private func oneOrMany(_ item: JSONText) -> JSONText {
        .list([item, .object([("type", .text("array")), ("items", item)])])
    }

    /// Any names; a node that bears its type's name may leave `type` out.
    private func section(_ role: Role, _ types: [NodeSpec]) -> JSONText {
        let named = types.map { spec in
            (
                spec.type.name,
                JSONText.object([
                    ("if", .object([("required", .list([.text("type")]))])),
                    ("then", reference(role.rawValue)),
                    ("else", reference("\(role.rawValue).\(spec.type.name)")),
                ])
            )
        }
        return .object([
            ("type", .list([.text("object"), .text("null")])),
            ("propertyNames", .object([("pattern", .text("^[A-Za-z0-9_][A-Za-z0-9_-]*$"))])),
            ("properties", .object(named)),
            ("additionalProperties", reference(role.rawValue)),
        ])
    }

    private func node(_ role: Role, _ types: [NodeSpec]) -> [(String, JSONText)] {
        let names = JSONText.object([("enum", .list(types.map { .text($0.type.name) }))])
        var node: [(String, JSONText)] = [
            ("type", .text("object")), ("required", .list([.text("type")])),
            ("properties", .object([("type", names)])),
        ]
        if !types.isEmpty {
            let branches = types.map { spec in
                let name = JSONText.object([("const", .text(spec.type.name))])
                return JSONText.object([
                    ("if", .object([("properties", .object([("type", name)]))])),
                    ("then", reference("\(role.rawValue).\(spec.type.name)")),
                ])
            }
            node.append(("allOf", .list(branches)))
        }
        return node
    }

    private func definition(_ spec: NodeSpec) -> [(String, JSONText)] {
        let string = JSONText.object([("type", .text("string"))])
        var keys: [(String, JSONText)] = [("type", .object([("const", .text(spec.type.name))]))]
        keys += spec.inputs.map { input in
            let doc = "The nodes (or node.port) whose \(input.kind.rawValue) it reads."
            return (input.linkKey, .object([("description", .text(doc)), ("anyOf", oneOrMany(string))]))
        }
        if spec.inputs.contains(where: { $0.kind == .mode }) {
            // What is required once is not required of an overlay.
            let live = spec.fields.filter(\.isLive).map { field in
                var field = field
                field.isRequired = false
                return field
            }
            let mode = JSONText.object(object(live, besides: []))
            let modes = ["conservative", "balanced", "aggressive"].map { ($0, mode) }
            let shape: [(String, JSONText)] = [
                ("description", .text("What each mode changes of the live settings.")),
                ("type", .text("object")),
                ("properties", .object(modes)), ("additionalProperties", .boolean(false)),
            ]
            keys.append(("modes", .object(shape)))
        }
        return [("description", .text(spec.summary))] + object(spec.fields, besides: keys)
    }

    private func object(_ fields: [FieldSpec], besides keys: [(String, JSONText)]) -> [(String, JSONText)] {
        let properties = fields.map { field in
            var doc = field.doc
            if let limits = field.limits { doc += " (\(limits))" }
            if let text = field.defaultText { doc += " Default: \(text)." }
            return (field.name, JSONText.object([("description", .text(doc))] + schema(field.shape)))
        }
        var object: [(String, JSONText)] = [
            ("type", .text("object")), ("properties", .object(keys + properties)),
            ("additionalProperties", .boolean(false)),
        ]
        let required = fields.filter(\.isRequired).map { JSONText.text($0.name) }
        if !required.isEmpty { object.append(("required", .list(required))) }
        return object
    }

    private func schema(_ shape: Shape) -> [(String, JSONText)] {
        switch shape {
        case .boolean: return [("type", .text("boolean"))]
        case .integer(let least, let most):
            return [("type", .text("integer"))]
                + [("minimum", least), ("maximum", most)].compactMap { key, value in
                    value.map { (key, .integer($0)) }
                }
        case .number(let least, let most):
            return [("type", .text("number"))]
                + [("minimum", least), ("maximum", most)].compactMap { key, value in
                    value.map { (key, .number($0)) }
                }
        case .string("bytes"), .string("duration"):
            return [("type", .list([.text("string"), .text("integer")]))]
        // YAML reads a plain `1.0` as a number, and the loader as the text that it is.
        case .string: return [("type", .list([.text("string"), .text("number"), .text("boolean")]))]
        case .choice(let words): return [("enum", .list(words.map { .text($0) }))]
        case .list(let item): return [("type", .text("array")), ("items", .object(schema(item)))]
        case .map(let value):
            return [("type", .text("object")), ("additionalProperties", .object(schema(value)))]
        case .object(let fields): return object(fields, besides: [])
        case .either(let shapes): return [("anyOf", .list(shapes.map { .object(schema($0)) }))]
        }
    }
}
