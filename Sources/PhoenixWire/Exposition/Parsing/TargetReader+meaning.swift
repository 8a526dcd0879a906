import Glibc
import PhoenixModel

extension TargetReader {
    /// The line that begins here, `LineCache.none` for one that is only to be counted; the cursor stands behind its name and
    /// labels afterwards.
    @inline(__always)
    mutating func line(_ cursor: inout ExpositionCursor) throws(Stop) -> Int32 {
        if let (line, count) = lines.expected(after: previous, atStartOf: cursor.position, cursor.left),
            isCurrent(lines[line].meaning, cursor, count)
        {
            cursor.position += count
            previous = line
            return line
        }
        return try lookUp(&cursor)
    }
    /// Whether what was found out of the line that begins here still holds; its name and labels have `count` bytes.
    @inline(__always)
    private func isCurrent(_ meaning: SampleMeaning, _ cursor: ExpositionCursor, _ count: Int) -> Bool {
        let isSame =
            families.signature(meaning.family) == meaning.signature
            && (!meaning.isContested || meaning.additions == families.additions)
        return isSame && (meaning.stream < 0 || streams.isCurrent(meaning.stream, meaning.tenant))
            && (meaning.hint == .none || (meaning.hint == .start) == isTime(cursor, behind: count))
    }
    /// Whether the value of the line that begins here may be the moment at which a stream began, in seconds since 1970: no
    /// earlier than the year 2000, and no later than now, but for clocks that are a day apart.
    @inline(never)
    private func isTime(_ cursor: ExpositionCursor, behind count: Int) -> Bool {
        var cursor = cursor
        cursor.position += count
        cursor.skipBlanks()
        guard let began = SampleNumber.time(cursor.token(), inSeconds: true).time else { return false }
        return began >= 946_684_800_000_000_000 && began <= time + 86_400_000_000_000
    }
    @inline(never)
    private mutating func lookUp(_ cursor: inout ExpositionCursor) throws(Stop) -> Int32 {
        let start = cursor.position
        let count: Int
        do throws(ExpositionCursor.Misread) {
            count = try cursor.lengthOfSeries()
        } catch { throw .misread(error) }
        if let known = lines.find(start, count, after: previous) {
            let isCurrent = isCurrent(lines[known].meaning, cursor, count)
            if isCurrent || !isOverSampleLimit {
                if !isCurrent { lines.change(known, to: try meaning(&cursor)) }
                cursor.position = start + count
                previous = known
                return known
            }
        }
        guard !isOverSampleLimit else {
            isUnheldKept = try labels(of: try series(&cursor)) != nil
            cursor.position = start + count
            return LineCache.none
        }
        let meaning = try meaning(&cursor)
        cursor.position = start + count
        previous = lines.add(start, count, after: previous, meaning)
        return previous
    }

    private func series(_ cursor: inout ExpositionCursor) throws(Stop) -> LabelSet {
        do throws(ExpositionCursor.Misread) { return try cursor.series() } catch { throw .misread(error) }
    }
    /// What relabelling makes of the labels of a sample, within the limits; nil where it drops the sample.
    private func labels(of scraped: LabelSet) throws(Stop) -> LabelSet? {
        guard let labels = options.rewriting.rewritten(scraped) else { return nil }
        guard !labels[LabelSet.name].isEmpty else { throw .refused(.nameless) }
        if let failure = options.limits.failure(for: labels) { throw .refused(failure) }
        return labels
    }
    /// Finds out what a line means: parses, relabels, and finds the stream.
    private mutating func meaning(_ cursor: inout ExpositionCursor) throws(Stop) -> SampleMeaning {
        let scraped = try series(&cursor)
        var form = SampleForm(
            of: scraped[LabelSet.name],
            in: families,
            isOpen: cursor.isOpen,
            isNative: cursor.isNative,
            isTime: { isTime(cursor, behind: 0) }
        )
        var meaning = SampleMeaning()
        meaning.isContested = form.family < 0 || SampleForm.isCreated(scraped[LabelSet.name])
        if meaning.isContested {
            for name in SampleForm.families(of: scraped[LabelSet.name]) { families.miss(name) }
        }
        (meaning.family, meaning.signature) = (form.family, families.signature(form.family))
        (meaning.additions, meaning.hint) = (families.additions, form.hint)
        guard let labels = try labels(of: scraped) else { return meaning }
        guard form.part != .nothing else {
            meaning.drop = .gaugeHistogram
            return meaning
        }
        let name = form.metricName(of: labels[LabelSet.name])
        // The bare name of a summary without a quantile is none of its parts.
        if form.part == .quantile, labels["quantile"].isEmpty { (form.part, form.kind) = (.number, .gauge) }
        if isTargetInfo(scraped) {
            meaning.part = .info
            return meaning
        }
        if let label = form.boundLabel {
            guard let bound = Self.bound(labels[label]) else {
                meaning.drop = .noBound
                return meaning
            }
            meaning.bound = bound
        }
        meaning.part = form.part
        (meaning.stream, meaning.tenant) = stream(name, form, labels)
        return meaning
    }
    private static func bound(_ text: String) -> Double? {
        var text = text
        let bound = text.withUTF8 { SampleNumber.double($0) }
        return bound.flatMap { $0.isNaN ? nil : $0 }
    }

    /// The stream of a sample, made where there is none.
    private mutating func stream(
        _ name: String,
        _ form: SampleForm,
        _ labels: LabelSet
    ) -> (Int32, UInt32) {
        let (scope, attributes) = Self.attributes(labels, without: form.boundLabel)
        let isCumulative = [.sum, .histogram, .exponentialHistogram].contains(form.kind)
        let family = form.family >= 0 ? families[form.family] : nil
        let metric = table.metric(
            MetricIdentity(
                scope: scope,
                name: name,
                unit: family?.unit ?? "",
                kind: form.kind,
                temporality: isCumulative ? .cumulative : .unspecified,
                isMonotonic: form.isMonotonic
            ),
            MetricNotes(
                description: family?.help ?? "",
                isUntyped: form.kind == .gauge && family?.type != .gauge
            )
        )
        let resource = resources.find(job: labels["job"], instance: labels["instance"])
        let (place, isNew) = streams.find(metric, table.intern(attributes), resource)
        if isNew { resources.use(resource) }
        return (place, streams.tenant(place))
    }
    private static let scopePrefix = "otel_scope_"
    /// Splits labels into the scope's and the point's; name, job and instance belong elsewhere.
    private static func attributes(_ labels: LabelSet, without bound: String?) -> (Scope, [Attribute]) {
        var (scope, ofScope, ofPoint): (Scope, [Attribute], [Attribute]) = (Scope(), [], [])
        for label in labels.labels {
            switch label.name {
            case LabelSet.name, "job", "instance": continue
            case "otel_scope_name": scope.name = label.value
            case "otel_scope_version": scope.version = label.value
            case "otel_scope_schema_url": scope.schemaURL = label.value
            case bound: continue
            case let name where name.hasPrefix(scopePrefix) && name.utf8.count > scopePrefix.utf8.count:
                ofScope.append(Attribute(String(name.dropFirst(scopePrefix.count)), label.value))
            default: ofPoint.append(Attribute(label.name, label.value))
            }
        }
        if !ofScope.isEmpty { scope.attributes = AttributeSet(ofScope) }
        return (scope, ofPoint)
    }

    // MARK: target_info

    static let targetInfo = "target_info"
    /// Whether a sample tells the attributes of a resource. One whose own job or instance had to give way to the target's
    /// is about something else.
    private func isTargetInfo(_ scraped: LabelSet) -> Bool {
        guard scraped[LabelSet.name] == Self.targetInfo else { return false }
        let rewriting = options.rewriting
        return rewriting.honorsLabels
            || ["job", "instance"].allSatisfy {
                scraped[$0].isEmpty || scraped[$0] == rewriting.targetLabels[$0]
            }
    }
    /// Reads the `target_info` lines before all others, since resources are part of every series.
    mutating func readTargetInfo(_ body: ExpositionCursor) {
        defer { resources.settle(scrape) }
        var cursor = body
        let word = Array(Self.targetInfo.utf8)
        while cursor.left > word.count {
            let line = cursor.position
            if memcmp(line, word, word.count) == 0, [.openBrace, .space].contains(line[word.count]) {
                var cursor = body
                cursor.position = line
                describe(cursor)
            }
            guard let end = memchr(line, Int32(UInt8.lineFeed), cursor.left) else { return }
            cursor.position = UnsafePointer(end.assumingMemoryBound(to: UInt8.self)) + 1
        }
    }
    /// Takes what the line that begins here tells of a resource.
    mutating func describe(_ line: ExpositionCursor) {
        var cursor = line
        // What is malformed here is reported when its line's turn comes.
        guard let count = try? cursor.lengthOfSeries() else { return }
        let line = Array(UnsafeBufferPointer(start: cursor.position, count: count))
        guard let scraped = try? cursor.series(), isTargetInfo(scraped),
            let labels = options.rewriting.rewritten(scraped)
        else { return }
        let resource = resources.find(job: labels["job"], instance: labels["instance"])
        let ofTarget = options.rewriting.targetLabels
        resources.describe(resource, by: line, scrape) {
            labels.labels.filter { label in
                ![LabelSet.name, "job", "instance"].contains(label.name)
                    && ofTarget[label.name] != label.value
            }.map { Attribute($0.name, $0.value) }
        }
    }
}
