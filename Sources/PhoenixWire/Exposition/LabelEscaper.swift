/// Writes labels again with their names as a scheme shows them; for endpoints that keep names in UTF-8, and scrapers that
/// do not take them.
final class LabelEscaper {
    private let scheme: EscapingScheme
    private var source = ExpositionPage(capacity: 1 << 9)
    private var page = ExpositionPage(capacity: 1 << 9)

    init(_ scheme: EscapingScheme) { self.scheme = scheme }

    /// The labels to be shown; valid until the next call.
    func callAsFunction(_ labels: RenderedLabels) -> RenderedLabels {
        source.count = 0
        source.grow(for: labels.count + ExpositionPage.slack)
        guard labels.write(to: &source) else { return labels }
        rewrite(source.bytes)
        return RenderedLabels(written: page.bytes, like: labels)
    }
    /// The same for labels that are text already.
    func escaped(_ block: [UInt8]) -> [UInt8] {
        block.withUnsafeBytes { rewrite($0) }
        return Array(page.bytes)
    }
    private func rewrite(_ labels: UnsafeRawBufferPointer) {
        page.count = 0
        var names: [[UInt8]] = []
        var walk = LabelWalk(labels)
        while let part = walk.next() {
            let name = Self.shown(part, scheme)
            // Escaped, a name may be one that is there already: a scraper would refuse the whole scrape.
            guard !names.contains(name) else { continue }
            if !names.isEmpty { append(",") }
            names.append(name)
            name.withUnsafeBytes { page.append($0) }
            append("=\"")
            page.append(part.value)
            append("\"")
        }
    }
    private func append(_ text: StaticString) {
        page.append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    /// A label's name as the scheme shows it.
    private static func shown(_ part: LabelWalk.Part, _ scheme: EscapingScheme) -> [UInt8] {
        guard part.isQuoted else { return Array(part.name) }
        let name = LabelWalk.unescaped(part.name)
        // With underscores it is the name that labels are told apart by.
        return Array(
            (scheme == .underscores
                ? LabelName.sanitized(name, collapsing: false) : scheme.escaped(name, colons: false)).utf8
        )
    }
}
