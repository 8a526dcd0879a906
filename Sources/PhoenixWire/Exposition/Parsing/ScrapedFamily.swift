/// The type that an exposition gives a family.
enum ScrapedType: UInt8 {
    case unknown, counter, gauge, histogram, summary, info, stateset, gaugeHistogram

    init?(word: UnsafeBufferPointer<UInt8>, isOpen: Bool) {
        switch (String(decoding: word, as: UTF8.self), isOpen) {
        case ("counter", _): self = .counter
        case ("gauge", _): self = .gauge
        case ("histogram", _): self = .histogram
        case ("summary", _): self = .summary
        case ("unknown", _), ("untyped", false): self = .unknown
        case ("info", _): self = .info
        case ("stateset", _): self = .stateset
        case ("gaugehistogram", _): self = .gaugeHistogram
        default: return nil
        }
    }
}

/// What a scrape says of a family, in comments before its samples.
struct ScrapedFamily {
    var name: [UInt8]
    var type = ScrapedType.unknown
    /// Of the scrape before the one that names it now.
    var typeBefore = ScrapedType.unknown
    /// As OpenTelemetry writes units.
    var unit = ""
    var help = ""
    /// The scrape that said it; what an earlier one said does not hold.
    var scrape: UInt32 = 0
    /// Whether this scrape has given it a type already.
    var hasType = false
    /// Differs where type or unit differ.
    var signature: UInt32 = 0
}

/// The families of one target, as the current scrape declares them.
struct ScrapedFamilies {
    private(set) var families: [ScrapedFamily] = []
    private var index: [[UInt8]: Int32] = [:]
    private var units: [String: UInt32] = ["": 0]
    private var scrape: UInt32 = 0
    /// The family named last: the next comment is mostly about it, or the one that came after it last time.
    private var last: Int32 = -1
    /// Grows whenever a family is declared that a line without a family might have belonged to: one that the scrape before
    /// did not declare, or not with this type, or that this one declares only behind such a line.
    private(set) var additions: UInt32 = 0
    /// The families that the lines without one, found in this scrape, might have belonged to.
    private var missed: Set<[UInt8]> = []
    /// Types that came a second time and said something else; the first one counts.
    private(set) var conflicts = 0
    private static let maximumUnits = 4096

    subscript(family: Int32) -> ScrapedFamily { families[Int(family)] }

    /// Begins a scrape; true when the numbers of all families ceased to mean anything.
    mutating func begin(_ scrape: UInt32) -> Bool {
        // Families that are gone for good leave with all others, once they are the greater part.
        let alive = families.count { $0.scrape == self.scrape }
        let isReset = families.count > 1024 && alive < families.count / 2
        if isReset { (families, index) = ([], [:]) }
        (self.scrape, last, conflicts) = (scrape, -1, 0)
        missed.removeAll(keepingCapacity: true)
        return isReset
    }
    /// The signature that holds for a family now: 0 for none, or one that this scrape has not declared.
    @inline(__always)
    func signature(_ family: Int32) -> UInt32 {
        guard family >= 0 else { return 0 }
        return families.withUnsafeBufferPointer {
            $0[Int(family)].scrape == scrape ? $0[Int(family)].signature : 0
        }
    }
    /// Notes that a line found no family of this name.
    mutating func miss(_ name: some Collection<UInt8>) { missed.insert(Array(name)) }
    /// A family of this name that this scrape has declared.
    func declared(_ name: some Collection<UInt8>) -> Int32? {
        guard let family = index[Array(name)], families[Int(family)].scrape == scrape else { return nil }
        return family
    }

    private func isName(_ family: Int32, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        family < families.count && families[Int(family)].name.elementsEqual(name)
    }
    private mutating func declare(_ name: UnsafeBufferPointer<UInt8>) -> Int {
        if last >= 0, isName(last, name) {
        } else if isName(last + 1, name) {
            last += 1
        } else if let known = index[Array(name)] {
            last = known
        } else {
            last = Int32(families.count)
            families.append(ScrapedFamily(name: Array(name)))
            index[Array(name)] = last
        }
        let family = Int(last)
        guard families[family].scrape != scrape else { return family }
        if families[family].scrape &+ 1 != scrape || missed.contains(families[family].name) {
            additions &+= 1
        }
        (families[family].scrape, families[family].hasType) = (scrape, false)
        families[family].typeBefore = families[family].type
        (families[family].type, families[family].unit, families[family].signature) = (.unknown, "", 0)
        return family
    }
    private mutating func sign(_ family: Int) {
        let unit = families[family].unit
        if units[unit] == nil, units.count < Self.maximumUnits { units[unit] = UInt32(units.count) }
        families[family].signature = UInt32(families[family].type.rawValue) | (units[unit] ?? 0) << 8
    }

    /// Declares a family with all that is said of it; false where its unit is not the end of its name.
    mutating func declare(_ name: String, _ type: ScrapedType, unit: String, help: String) -> Bool {
        let family = Array(name.utf8).withUnsafeBufferPointer { declare($0) }
        if families[family].help != help { families[family].help = help }
        declare(type, of: family)
        guard !unit.isEmpty else { return true }
        // Protobuf names a counter like its samples: the unit stands before that.
        let hasTotal = type == .counter && name.utf8.suffix(6).elementsEqual("_total".utf8)
        guard Self.isUnit(unit.utf8, of: name.utf8.dropLast(hasTotal ? 6 : 0)) else { return false }
        families[family].unit = UnitWords.unit(for: unit)
        sign(family)
        return true
    }
    /// Whether a name ends in an underscore and the unit.
    private static func isUnit(
        _ unit: some Collection<UInt8>,
        of name: some BidirectionalCollection<UInt8>
    ) -> Bool {
        name.suffix(unit.count).elementsEqual(unit) && name.dropLast(unit.count).last == UInt8.underscore
    }
    private mutating func declare(_ type: ScrapedType, of family: Int) {
        if families[family].hasType {
            if families[family].type != type { conflicts += 1 }
            return
        }
        (families[family].type, families[family].hasType) = (type, true)
        if type != families[family].typeBefore || missed.contains(families[family].name) { additions &+= 1 }
        sign(family)
    }

    // MARK: Comments

    /// Reads a comment line; the cursor stands on its `#`. Answers true for `# EOF`.
    mutating func comment(_ cursor: inout ExpositionCursor) throws(ExpositionCursor.Misread) -> Bool {
        let begin = cursor
        cursor.position += 1
        guard cursor.next == .space || (cursor.next == .tab && !cursor.isOpen) else {
            guard !cursor.isOpen else { throw begin.misread(.comment) }
            _ = cursor.restOfLine()
            return false
        }
        if cursor.isOpen { cursor.position += 1 } else { cursor.skipBlanks() }
        let keyword = cursor.token()
        switch String(decoding: keyword, as: UTF8.self) {
        case "HELP": try help(&cursor)
        case "TYPE": try type(&cursor)
        case "UNIT" where cursor.isOpen: try unit(&cursor)
        case "EOF" where cursor.isOpen:
            // The very last line feed is missing in some expositions of the wild; nothing is lost with it.
            if !cursor.isAtEnd { try cursor.lineEnd() }
            return true
        default:
            guard !cursor.isOpen else { throw begin.misread(.comment) }
            _ = cursor.restOfLine()
        }
        return false
    }
    private mutating func named(_ cursor: inout ExpositionCursor) throws(ExpositionCursor.Misread) -> Int {
        try cursor.separator(.familyName)
        guard cursor.next == .quote else { return declare(try cursor.name(colons: true, .familyName)) }
        let place = cursor
        let name = try cursor.quoted()
        guard !name.isEmpty else { throw place.misread(.familyName) }
        return Array(name.utf8).withUnsafeBufferPointer { declare($0) }
    }
    private mutating func help(_ cursor: inout ExpositionCursor) throws(ExpositionCursor.Misread) {
        let family = try named(&cursor)
        if cursor.next == .space || cursor.next == .tab { cursor.position += 1 }
        let place = cursor
        let text = cursor.restOfLine()
        if families[family].help.utf8.elementsEqual(text) { return }
        guard let help = ExpositionCursor.unescaped(text) else { throw place.misread(.notUTF8) }
        families[family].help = help
    }
    private mutating func type(_ cursor: inout ExpositionCursor) throws(ExpositionCursor.Misread) {
        let family = try named(&cursor)
        try cursor.separator(.type(""))
        let place = cursor
        let word = cursor.token()
        guard let type = ScrapedType(word: word, isOpen: cursor.isOpen) else {
            throw place.misread(.type(String(decoding: word, as: UTF8.self)))
        }
        try cursor.lineEnd()
        declare(type, of: family)
    }
    private mutating func unit(_ cursor: inout ExpositionCursor) throws(ExpositionCursor.Misread) {
        let family = try named(&cursor)
        if cursor.next == .space { cursor.position += 1 }
        let place = cursor
        let word = cursor.token()
        try cursor.lineEnd()
        guard !word.isEmpty else { return }
        // Prometheus refuses the whole scrape otherwise, and so do we: the two must not see different things.
        guard Self.isUnit(word, of: families[family].name) else {
            throw place.misread(.unit(String(decoding: word, as: UTF8.self)))
        }
        families[family].unit = UnitWords.unit(for: String(decoding: word, as: UTF8.self))
        sign(family)
    }
}
