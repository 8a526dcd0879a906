import PhoenixModel

/// The resources that one target's series belong to: by job and instance, mostly the target's own alone.
struct ScrapedResources {
    struct Resource {
        var job: String
        var instance: String
        /// What is known without `target_info`.
        var own: [Attribute]
        var set: AttributeSet
        /// The `target_info` line that told the rest, as it was written, and the scrape that held it.
        var info: [UInt8] = []
        var infoScrape: UInt32 = 0
        /// How many streams are of it.
        var uses = 0
    }
    private(set) var resources: [Resource] = []
    private var free: [Int] = []
    private var index: [[String]: Int] = [:]
    private let table: SeriesTable
    /// The target's own; place 0, which never leaves.
    static var target: Int { 0 }

    init(_ table: SeriesTable, _ origin: ScrapeOrigin, _ labels: LabelSet) {
        self.table = table
        let own =
            Self.identity(labels["job"], labels["instance"])
            + [("server.address", origin.host), ("server.port", origin.port), ("url.scheme", origin.scheme)]
            .filter { !$0.1.isEmpty }.map { Attribute($0.0, $0.1) }
        add(Resource(job: labels["job"], instance: labels["instance"], own: own, set: .empty))
        use(Self.target)
    }
    private static func identity(_ job: String, _ instance: String) -> [Attribute] {
        [("service.name", job), ("service.instance.id", instance)].filter { !$0.1.isEmpty }
            .map { Attribute($0.0, $0.1) }
    }
    @discardableResult
    private mutating func add(_ resource: Resource) -> Int {
        var resource = resource
        resource.set = table.intern(resource.own)
        let place = free.popLast() ?? resources.count
        if place == resources.count { resources.append(resource) } else { resources[place] = resource }
        index[[resource.job, resource.instance]] = place
        return place
    }

    @inline(__always)
    func slot(of resource: Int) -> UInt32 { resources.withUnsafeBufferPointer { $0[resource].set.slot } }

    mutating func find(job: String, instance: String) -> Int {
        if let known = index[[job, instance]] { return known }
        return add(Resource(job: job, instance: instance, own: Self.identity(job, instance), set: .empty))
    }
    mutating func use(_ resource: Int) { resources[resource].uses += 1 }
    mutating func disuse(_ resource: Int) {
        resources[resource].uses -= 1
        guard resources[resource].uses == 0 else { return }
        index[[resources[resource].job, resources[resource].instance]] = nil
        resources[resource] = Resource(job: "", instance: "", own: [], set: .empty)
        free.append(resource)
    }

    /// Notes what a `target_info` line says; of several in one scrape the first counts.
    mutating func describe(
        _ resource: Int,
        by line: [UInt8],
        _ scrape: UInt32,
        _ attributes: () -> [Attribute]
    ) {
        guard resources[resource].infoScrape != scrape else { return }
        resources[resource].infoScrape = scrape
        guard resources[resource].info != line else { return }
        resources[resource].info = line
        let own = resources[resource].own
        // What the target is called is not for `target_info` to say.
        let rest = attributes().filter { attribute in !own.contains { $0.key == attribute.key } }
        resources[resource].set = table.intern(own + rest)
    }
    /// Forgets what this scrape did not say again, and resources that nobody uses.
    mutating func settle(_ scrape: UInt32) {
        for place in resources.indices where resources[place].infoScrape != scrape {
            guard !resources[place].info.isEmpty else { continue }
            resources[place].info = []
            resources[place].set = table.intern(resources[place].own)
        }
    }
    /// Takes out resources that a `target_info` named and no stream uses.
    mutating func prune() {
        for place in resources.indices.dropFirst() {
            guard resources[place].uses == 0, !resources[place].own.isEmpty else { continue }
            resources[place].uses = 1
            disuse(place)
        }
    }
}

/// Where a target is, for its resource.
public struct ScrapeOrigin: Sendable, Hashable {
    public var scheme: String
    public var host: String
    public var port: String
    public init(scheme: String = "", host: String = "", port: String = "") {
        (self.scheme, self.host, self.port) = (scheme, host, port)
    }
}
