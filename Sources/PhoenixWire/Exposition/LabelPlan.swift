import PhoenixModel

/// Makes labels out of attributes: pure, and asked once per attribute set.
struct LabelPlan {
    /// A label before names that sanitizing made equal are joined.
    struct Candidate {
        /// The attribute's key, by which joined values are ordered.
        var key: String
        var name: String
        var value: String
        /// The name in UTF-8, where it is another one.
        var written: String?
        /// Whether it is a constant or one of the names with a meaning of their own: it wins over attributes.
        var isReserved = false
        /// The attributes of the resource, by their places in its set, whose values these are, joined by `/`; none where
        /// every resource of the scope has this label; nil where it was joined of several candidates.
        var sources: [Int]? = []
        var label: ExposedLabel { ExposedLabel(name, value, written: written) }
    }
    /// Label names that a kind of point needs for itself.
    enum Reserved: UInt8, Hashable {
        case none, bucket, quantile
        init(_ kind: PointKind) {
            switch kind {
            case .histogram, .exponentialHistogram: self = .bucket
            case .summary: self = .quantile
            case .gauge, .sum: self = .none
            }
        }
        var name: String? {
            switch self {
            case .none: nil
            case .bucket: "le"
            case .quantile: "quantile"
            }
        }
    }
    let options: ExpositionOptions
    private var names: [String: String] = [:]
    private static let maximumNames = 1 << 14

    init(_ options: ExpositionOptions) { self.options = options }

    private mutating func name(of key: String) -> String {
        if let name = names[key] { return name }
        let name = LabelName.sanitized(key, collapsing: options.strategy.collapsesUnderscores)
        if names.count < Self.maximumNames { names[key] = name }
        return name
    }

    private mutating func candidate(_ key: String, _ value: String, isReserved: Bool = false) -> Candidate {
        Candidate(
            key: key,
            name: name(of: key),
            value: value,
            written: options.strategy.keepsUTF8 ? LabelName.written(key) : nil,
            isReserved: isReserved
        )
    }

    /// The labels that a resource and a scope give to every series: constants, job and instance, scope, attributes.
    mutating func head(_ resource: AttributeSet, _ scope: Scope) -> [Candidate] {
        var candidates = options.constantLabels.map { candidate($0.key, $0.value, isReserved: true) }
        let attributes = resource.attributes
        candidates += Self.identity(attributes)
        if options.addsScopeLabels { candidates += scopeLabels(scope) }
        if options.convertsResource { candidates += self.attributes(attributes) }
        return candidates
    }
    /// The labels that the attributes of a resource or of a point give.
    mutating func attributes(_ attributes: [Attribute]) -> [Candidate] {
        var candidates: [Candidate] = []
        candidates.reserveCapacity(attributes.count)
        for (place, attribute) in attributes.enumerated() {
            candidates.append(candidate(attribute.key, attribute.value.text))
            candidates[place].sources = [place]
        }
        return candidates
    }
    private mutating func scopeLabels(_ scope: Scope) -> [Candidate] {
        var labels = [
            ("otel_scope_name", scope.name), ("otel_scope_version", scope.version),
            ("otel_scope_schema_url", scope.schemaURL),
        ].map { Candidate(key: $0.0, name: $0.0, value: $0.1, isReserved: true) }
        for attribute in scope.attributes.attributes {
            let key = "otel_scope_" + attribute.key
            let keepsUTF8 = options.strategy.keepsUTF8
            let name = keepsUTF8 ? self.name(of: key) : "otel_scope_" + self.name(of: attribute.key)
            // The three above come from the scope itself; an attribute of the name is dropped (specification).
            guard !["otel_scope_name", "otel_scope_version", "otel_scope_schema_url"].contains(name) else {
                continue
            }
            labels.append(
                Candidate(
                    key: attribute.key,
                    name: name,
                    value: attribute.value.text,
                    written: keepsUTF8 ? LabelName.written(key) : nil
                )
            )
        }
        return labels
    }

    /// `job` and `instance` of a resource; absent ones are left out.
    static func identity(_ attributes: [Attribute]) -> [Candidate] {
        func value(of key: String) -> (place: Int, text: String)? {
            guard let place = attributes.firstIndex(where: { $0.key == key }) else { return nil }
            let text = attributes[place].value.text
            return text.isEmpty ? nil : (place, text)
        }
        var labels: [Candidate] = []
        func add(_ name: String, _ value: String, _ sources: [Int]) {
            labels.append(Candidate(key: name, name: name, value: value, isReserved: true, sources: sources))
        }
        if let service = value(of: "service.name") {
            if let space = value(of: "service.namespace") {
                add("job", "\(space.text)/\(service.text)", [space.place, service.place])
            } else {
                add("job", service.text, [service.place])
            }
        }
        if let instance = value(of: "service.instance.id") {
            add("instance", instance.text, [instance.place])
        }
        return labels
    }

    /// One label for each name, in the order of the names; see `merged`.
    static func resolved(_ candidates: [Candidate], reserving reserved: Reserved) -> [ExposedLabel] {
        merged(candidates, reserving: reserved).map(\.label)
    }
    /// One candidate for each name: values of names that became equal are joined by `;` in the order of the keys.
    ///
    /// A reserved label wins over attributes. One key in resource and point with one value is one label. A label
    /// without a value is, to Prometheus, none.
    static func merged(_ candidates: [Candidate], reserving reserved: Reserved) -> [Candidate] {
        var named: [Candidate] = []
        for var candidate in candidates where !candidate.value.isEmpty {
            if candidate.name == reserved.name {
                (candidate.name, candidate.written) = ("exported_" + candidate.name, nil)
            }
            named.append(candidate)
        }
        let sorted = named.sorted { $0.name < $1.name }
        // Nearly always each name stands once.
        if zip(sorted, sorted.dropFirst()).allSatisfy({ $0.name != $1.name }) { return sorted }
        return [String: [Candidate]](grouping: named, by: \.name).map { _, candidates in
            if let only = candidates.count == 1 ? candidates[0] : candidates.first(where: \.isReserved) {
                return only
            }
            var parts: [(key: String, value: String)] = []
            for candidate in candidates
            where !parts.contains(where: { $0.key == candidate.key && $0.value == candidate.value }) {
                parts.append((candidate.key, candidate.value))
            }
            // Stable: of one key the resource's value goes first.
            let order = parts.indices.sorted {
                let (left, right) = (parts[$0].key, parts[$1].key)
                return left == right ? $0 < $1 : left.utf8.lexicographicallyPrecedes(right.utf8)
            }
            // The name is that of the first value.
            var joined = candidates.first { $0.key == parts[order[0]].key }!
            joined.value = order.map { parts[$0].value }.joined(separator: ";")
            joined.sources = nil
            return joined
        }.sorted { $0.name < $1.name }
    }
}
