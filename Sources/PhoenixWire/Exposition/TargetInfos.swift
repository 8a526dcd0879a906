import PhoenixModel

/// The `target_info` series: what is known of each job and instance beyond their names, at most one series each.
///
/// Of several resources with one job and instance the first one seen speaks, until it goes.
struct TargetInfos {
    private struct Target {
        var resources: [AttributeSet: Int] = [:]
        var speaker: AttributeSet
        var block: [UInt8]
    }
    private var targets: [String: Target] = [:]
    /// Whether label names may be in UTF-8.
    private let keepsUTF8: Bool

    init(keepsUTF8: Bool = false) { self.keepsUTF8 = keepsUTF8 }
    var isEmpty: Bool { targets.allSatisfy { $0.value.block.isEmpty } }

    private static func name(_ attributes: [Attribute]) -> String? {
        let identity = LabelPlan.identity(attributes)
        guard !identity.isEmpty else { return nil }
        return identity.map { "\($0.name)=\($0.value)" }.joined(separator: "\u{0}")
    }
    /// The labels of the series; none for a resource that says nothing more than its names.
    private func block(_ attributes: [Attribute]) -> [UInt8] {
        let names = ["service.name", "service.namespace", "service.instance.id"]
        let rest = attributes.filter { !names.contains($0.key) }
        guard !rest.isEmpty else { return [] }
        let candidates =
            LabelPlan.identity(attributes)
            + rest.map {
                LabelPlan.Candidate(
                    key: $0.key,
                    name: LabelName.sanitized($0.key, collapsing: !keepsUTF8),
                    value: $0.value.text,
                    written: keepsUTF8 ? LabelName.written($0.key) : nil
                )
            }
        return ExposedLabel.block(LabelPlan.resolved(candidates, reserving: .none))
    }

    mutating func add(_ resource: AttributeSet) {
        let attributes = resource.attributes
        guard let name = Self.name(attributes) else { return }
        if targets[name] == nil { targets[name] = Target(speaker: resource, block: block(attributes)) }
        targets[name]!.resources[resource, default: 0] += 1
    }
    mutating func remove(_ resource: AttributeSet) {
        guard let name = Self.name(resource.attributes), let uses = targets[name]?.resources[resource] else {
            return
        }
        if uses > 1 {
            targets[name]!.resources[resource] = uses - 1
            return
        }
        targets[name]!.resources[resource] = nil
        guard targets[name]!.speaker == resource else { return }
        guard let heir = targets[name]!.resources.keys.first else {
            targets[name] = nil
            return
        }
        targets[name]!.speaker = heir
        targets[name]!.block = block(heir.attributes)
    }
    /// The label blocks, in the order of their names.
    var blocks: [[UInt8]] {
        targets.sorted { $0.key < $1.key }.map(\.value.block).filter { !$0.isEmpty }
    }
}
