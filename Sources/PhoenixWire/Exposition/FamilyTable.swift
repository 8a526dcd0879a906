import PhoenixModel

/// The families of an exposition by name, and the plans of the metrics in them.
struct FamilyTable {
    private(set) var plans = ContiguousArray<MetricPlan?>()
    /// The family of each plan, by its id: what the scrape loop compares.
    private(set) var familyOfPlan = ContiguousArray<UInt32>()
    private var freePlans: [UInt32] = []
    private var planOf: [ObjectIdentifier: UInt32] = [:]
    private var claims: [String: ExposedFamily] = [:]
    private(set) var sorted: [ExposedFamily] = []
    private var nextFamily: UInt32 = 0
    private let options: ExpositionOptions

    init(_ options: ExpositionOptions) { self.options = options }

    /// The plan of a metric; nil where there is no room for another.
    mutating func plan(_ metric: Metric) -> UInt32? {
        if let known = planOf[ObjectIdentifier(metric)] { return known }
        guard let place = freePlans.popLast() ?? UInt32(exactly: plans.count), place < HeldSeries.maximumPlans
        else { return nil }
        let plan = makePlan(metric)
        plan.family?.plans += 1
        let family = plan.family?.id ?? .max
        if Int(place) == plans.count {
            plans.append(plan)
            familyOfPlan.append(family)
        } else {
            plans[Int(place)] = plan
            familyOfPlan[Int(place)] = family
        }
        planOf[ObjectIdentifier(metric)] = place
        return place
    }
    private mutating func makePlan(_ metric: Metric) -> MetricPlan {
        func refused(_ reason: ExpositionDrop) -> MetricPlan {
            MetricPlan(
                metric: metric,
                family: nil,
                refusal: reason,
                treatment: .refused,
                isDelta: false,
                law: .increments
            )
        }
        let hasTemporality = [.sum, .histogram, .exponentialHistogram].contains(metric.kind)
        let isDelta = hasTemporality && metric.temporality == .delta
        if hasTemporality, metric.temporality == .unspecified { return refused(.unspecifiedTemporality) }
        if isDelta, metric.kind == .sum, !metric.isMonotonic { return refused(.deltaNonMonotonic) }
        let name = ExposedName(of: metric.identity, strategy: options.strategy, namespace: options.namespace)
        guard let name else { return refused(.invalidName) }
        let type: FamilyType
        switch metric.kind {
        case .gauge: type = metric.said.isUntyped ? .unknown : .gauge
        case .sum: type = metric.isMonotonic ? .counter : .gauge
        case .histogram, .exponentialHistogram: type = .histogram
        case .summary: type = .summary
        }
        let (family, refusal) = family(name, type, metric)
        guard let family else { return refused(refusal) }
        let isNumber = metric.kind == .gauge || metric.kind == .sum
        let law: CollisionMerge.Law
        switch metric.kind {
        case .gauge: law = .level(.conventional(for: metric.name))
        case .sum where !metric.isMonotonic: law = .level(.sum)
        default: law = isDelta ? .deltas : .increments
        }
        return MetricPlan(
            metric: metric,
            family: family,
            refusal: nil,
            treatment: !isNumber ? .compound : isDelta && type == .counter ? .add : .replace,
            isDelta: isDelta,
            law: law
        )
    }
    /// The family of a name: the one that is there if it is of the type, a new one if none of its names is taken.
    private mutating func family(
        _ name: ExposedName,
        _ type: FamilyType,
        _ metric: Metric
    ) -> (ExposedFamily?, ExpositionDrop) {
        if let known = claims[name.family], known.name.family == name.family {
            let isSame = known.type.admits(type) && known.name.sample == name.sample
            // Two names in UTF-8 that become one with underscores: only one of them can be shown.
            guard !isSame || known.name.written == name.written else { return (nil, .nameClash) }
            if isSame, known.help.isEmpty { known.help = metric.description }
            return (isSame ? known : nil, .typeConflict)
        }
        let family = ExposedFamily(id: nextFamily, name: name, type: type, help: metric.description)
        let names = family.claims
        guard names.allSatisfy({ claims[$0] == nil }), names.isDisjoint(with: options.reservedNames) else {
            return (nil, .nameClash)
        }
        nextFamily += 1
        for name in names { claims[name] = family }
        sorted.insert(family, at: place(after: name.family))
        return (family, .nameClash)
    }
    /// Where the first family stands whose name comes after.
    func place(after name: String) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].name.family.utf8.lexicographicallyPrecedes(name.utf8)
                || sorted[middle].name.family == name
            {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
    func hasClaim(on name: String) -> Bool { claims[name] != nil }
    func family(named name: String) -> ExposedFamily? {
        claims[name].flatMap { $0.name.family == name ? $0 : nil }
    }
    /// The first family whose name comes after; without a name the first of all.
    func family(after name: String?) -> ExposedFamily? {
        let place = name.map { self.place(after: $0) } ?? 0
        return place < sorted.count ? sorted[place] : nil
    }
    mutating func use(_ plan: UInt32) { plans[Int(plan)]!.uses += 1 }
    mutating func disuse(_ plan: UInt32) { plans[Int(plan)]!.uses -= 1 }

    /// Forgets metrics of which no series is held, and families that have no metric left.
    mutating func sweep() {
        for (index, plan) in plans.enumerated() {
            guard let plan, plan.uses == 0 else { continue }
            planOf[ObjectIdentifier(plan.metric)] = nil
            plans[index] = nil
            familyOfPlan[index] = .max
            freePlans.append(UInt32(index))
            guard let family = plan.family else { continue }
            family.plans -= 1
            guard family.plans == 0, family.live == 0 else { continue }
            family.isRemoved = true
            for name in family.claims { claims[name] = nil }
            sorted.removeAll { $0 === family }
        }
    }
}
