import PhoenixModel

/// Where a history's mapping sends its series: into so many groups by their number, of which one may go nowhere. Places are the
/// groups of all mappings, by number.
struct Groups: Sendable {
    var count = 3
    var dropsOne = false
    static let placeCount = 9

    /// Made once: histories ask for them a million times.
    private static let sets = (0..<placeCount).map { AttributeSet([Attribute("group", name(of: $0))]) }
    private static let places = Dictionary(uniqueKeysWithValues: (0..<placeCount).map { (name(of: $0), $0) })
    static func name(of place: Int) -> String { "g\(place % 3)/\(place / 3 + 1)" }

    mutating func change(_ random: inout TestRandom) {
        count = .random(in: 1...3, using: &random)
        dropsOne = Int.random(in: 0..<4, using: &random) == 0
    }
    /// Nil where it goes nowhere.
    func place(_ name: Int) -> Int? {
        let group = name % count
        return dropsOne && group == 0 ? nil : (count - 1) * 3 + group
    }
    func destination(of series: Series, metric: MetricIdentity? = nil) -> Destination {
        guard case .int(let pid)? = series.attributes["pid"], let place = place(Int(pid)) else {
            return .drop(reason: 1)
        }
        return .output(metric: metric, resource: .empty, attributes: Self.sets[place])
    }
    /// The place of a series that came out.
    static func place(of series: Series?) -> Int? {
        guard case .string(let name)? = series?.attributes["group"] else { return nil }
        return places[name]
    }
}

/// The ids of a history's senders, by number.
struct SenderIDs: ~Copyable {
    private var known: [SeriesID?]
    init(count: Int) { known = Array(repeating: nil, count: count) }
    mutating func id(_ name: Int, _ metric: Metric?, _ table: SeriesTable) -> SeriesID {
        if let id = known[name] { return id }
        let set = table.intern([Attribute("pid", .int(Int64(name)))])
        guard let metric, let id = table.id(resource: table.intern([]), metric: metric, attributes: set)
        else {
            preconditionFailure("the table is full")
        }
        known[name] = id
        return id
    }
}
