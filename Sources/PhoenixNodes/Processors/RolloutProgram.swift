import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// Marks the series that belong to the share.
struct RolloutProgram: IdentityProgram, Equatable {
    var share: Double
    var by: [AttributeTarget]
    var when: Conditions
    var salt: String
    var mark: String
    var expirySeconds: UInt32

    /// What a node's settings say, or in place of their share another.
    init(_ config: Rollout.Config, share: Double? = nil) {
        (self.share, by, when) = (share ?? config.share, config.by, config.when)
        (salt, mark) = (config.salt, config.mark)
        expirySeconds = UInt32(clamping: Int(config.expiry.inSeconds))
    }
    var merging: Merging { .always }
    func decides(as other: Self) -> Bool {
        var same = other
        same.expirySeconds = expirySeconds
        return self == same
    }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = expirySeconds
        return options
    }

    func judge(_ subject: inout Subject) -> Verdict {
        // Whoever sends the mark itself does not choose its way by it.
        subject.remove(SharePath.mark)
        if share > 0, when.hold(&subject), share >= 1 || place(of: &subject) < share {
            subject.set(SharePath.mark, to: .string(mark))
        }
        return .pass
    }

    /// Where a series stands among all, from 0 to less than 1: the same in every process and every version.
    func place(of subject: inout Subject) -> Double {
        var hash = StableHash()
        hash.add(salt)
        if by.isEmpty {
            let attributes = subject.attributes
            for attribute in attributes.resource { hash.add("resource:", attribute) }
            for attribute in attributes.point { hash.add("point:", attribute) }
        } else {
            for target in by.sorted() {
                hash.add(target.text)
                hash.add(subject.value(of: target)?.text ?? "")
            }
        }
        return Double(hash.value >> 11) * 0x1p-53
    }
}

/// A 64-bit hash that never changes: FNV-1a over the bytes, then the finisher of MurmurHash3, since the high bits of FNV
/// depend on the last bytes too little.
struct StableHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Adds a text and its end.
    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        // No byte of UTF-8.
        add(0xff)
    }
    mutating func add(_ place: String, _ attribute: Attribute) {
        add(place + attribute.key)
        add(attribute.value.text)
    }
    private mutating func add(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

    var value: UInt64 {
        var value = state
        value = (value ^ value >> 33) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ value >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ value >> 33
    }
}
