/// A family of samples as plain data, for what the engine says of itself.
public struct PlainFamily: Sendable, Equatable {
    /// One sample: its labels, without those of the name, and its value.
    public struct Sample: Sendable, Equatable {
        public var labels: [ExposedLabel]
        public var value: Double
        public init(_ value: Double, _ labels: [ExposedLabel] = []) {
            (self.labels, self.value) = (labels, value)
        }
    }
    /// The name of the samples: of a counter it ends in `_total`, of an info in `_info`.
    public var name: String
    public var help: String
    public var type: FamilyType
    public var samples: [Sample]
    /// A family of gauges, counters, infos or unknowns; names and label names must be in the legacy alphabet.
    public init(_ name: String, _ help: String, _ type: FamilyType, _ samples: [Sample]) {
        (self.name, self.help, self.type, self.samples) = (name, help, type, samples)
    }
    /// A family of one sample without labels.
    public init(_ name: String, _ help: String, _ type: FamilyType, _ value: Double) {
        self.init(name, help, type, [Sample(value)])
    }

    var exposedName: ExposedName {
        var family = name
        if type == .counter, name.hasSuffix("_total") { family = String(name.dropLast(6)) }
        if type == .info, name.hasSuffix("_info") { family = String(name.dropLast(5)) }
        return ExposedName(family: family, sample: name)
    }

    func write(_ format: ExpositionFormat, to bytes: inout [UInt8]) {
        guard !samples.isEmpty else { return }
        guard format != .protobuf else { return writeMessage(to: &bytes) }
        bytes += FamilyHeader(name: exposedName, type: type, help: help).bytes(format)
        for sample in samples {
            bytes += name.utf8
            let labels = sample.labels.filter { !$0.value.isEmpty }
            if !labels.isEmpty {
                bytes.append(UInt8(ascii: "{"))
                bytes += ExposedLabel.block(labels)
                bytes.append(UInt8(ascii: "}"))
            }
            bytes.append(UInt8(ascii: " "))
            bytes += NumberText.string(sample.value, needsPoint: format == .openMetrics).utf8
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    private func writeMessage(to bytes: inout [UInt8]) {
        let shown = samples.map { sample in
            (labels: ExposedLabel.block(sample.labels.filter { !$0.value.isEmpty }), value: sample.value)
        }
        bytes += FamilyMessage.bytes(exposedName, type, help: help, shown)
    }

    /// A whole exposition of plain families, sorted by name, ended as the format wants it.
    public static func exposition(_ families: [PlainFamily], as format: ExpositionFormat) -> [UInt8] {
        var bytes: [UInt8] = []
        for family in families.sorted(by: { $0.name < $1.name }) { family.write(format, to: &bytes) }
        if format == .openMetrics { bytes += "# EOF\n".utf8 }
        return bytes
    }
}
