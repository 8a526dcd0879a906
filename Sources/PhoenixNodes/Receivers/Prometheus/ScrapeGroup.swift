public import PhoenixGraph

/// Addresses with the labels that they share, as `static_configs` and service discovery write them.
public struct ScrapeGroup: ObjectValue, Hashable {
    public var targets: [String] = []
    public var labels: [String: String] = [:]
    public init() {}
    public init(_ targets: [String], labels: [String: String] = [:]) {
        (self.targets, self.labels) = (targets, labels)
    }
    public static let fields: [Field<ScrapeGroup>] = [
        Field(
            "targets",
            \.targets,
            required: true,
            "Addresses as `host:port`, or what `relabel_configs` make some of."
        ),
        Field("labels", \.labels, "Labels that every series of these targets gets."),
    ]
    public func check(_ marks: FieldMarks, _ report: inout Report) {
        for name in labels.keys.sorted() where !ScrapeLabel.isName(name) {
            report.add(
                at: marks["labels"],
                "`\(name)` is no label name",
                mend: "use letters, digits and `_`, no digit first"
            )
        }
    }
}

enum ScrapeLabel {
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == UInt8(ascii: "_")
        }
    }
}
