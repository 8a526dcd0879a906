/// An upper bound on how far the aliases of a YAML text expand, from the text alone.
///
/// It is asked before the text is composed, because the composer hashes the keys of every map, and a key may be an
/// alias: nine nested lists of nine aliases would keep it busy for years. What stands between an anchor and the first
/// use of it holds all that the anchor names, and so the bound needs no parser. It never errs low; where it errs
/// high, the limit leaves room: the exact count of nodes is kept afterwards.
enum AliasBound {
    /// The most bytes that the aliases of a text may add to it.
    static let limit = 64 << 20

    /// The byte offset of the alias that may pass the limit; nil for a text that surely keeps it.
    static func firstExcess(in text: String) -> Int? {
        let bytes = Array(text.utf8)
        var added = 0
        /// The size of all before an anchor, by name; an anchor that is set twice counts from the first.
        var anchors: [String: Int] = [:]
        /// What an anchor holds, known from its first use on; forgotten when it is set again.
        var sizes: [String: Int] = [:]
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*") else {
                index += 1
                continue
            }
            let end = bytes[(index + 1)...].firstIndex { !isName($0) } ?? bytes.endIndex
            let name = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
            if byte == UInt8(ascii: "&") {
                if anchors[name] == nil { anchors[name] = index + added }
                sizes[name] = nil
            } else if let start = anchors[name] {
                let size = sizes[name] ?? index + added - start
                sizes[name] = size
                added += size
                if added > limit { return index }
            }
            index = end
        }
        return nil
    }

    /// What libyaml takes into the name of an anchor.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
