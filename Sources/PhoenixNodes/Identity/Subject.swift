public import PhoenixModel

/// The identity of a series while a node judges it: a program reads some of it and changes some.
///
/// It notes what was asked. A judgement that asked neither the point nor the metric holds for every series of the
/// resource, one that asked the metric alone for every series of the metric, and is made once for all of them.
public struct Subject {
    private(set) var resource: [Attribute]
    private(set) var point: [Attribute]
    private var identity: MetricIdentity
    private let id: SeriesID
    /// Whether the judgement depends on the attributes of the resource, on those of the point, on the metric, on this very
    /// series.
    private(set) var asksResource = false
    private(set) var asksPoint = false
    private(set) var asksMetric = false
    private(set) var asksSeries = false
    private(set) var hasNewResource = false
    private(set) var hasNewPoint = false
    private(set) var hasNewMetric = false

    public init(
        resource: [Attribute],
        point: [Attribute],
        metric: MetricIdentity,
        id: SeriesID = .none
    ) {
        (self.resource, self.point, identity, self.id) = (resource, point, metric, id)
    }

    /// The id of the series: a judgement that asks for it holds for this series only.
    public var series: SeriesID {
        mutating get {
            asksSeries = true
            return id
        }
    }

    /// The metric of the series. Another kind than the points have makes no sense.
    public var metric: MetricIdentity {
        mutating get {
            asksMetric = true
            return identity
        }
        set {
            asksMetric = true
            guard newValue != identity else { return }
            identity = newValue
            hasNewMetric = true
        }
    }
    /// All attributes, of the resource and then of the point, each in the order of their keys as they came.
    public var attributes: (resource: [Attribute], point: [Attribute]) {
        mutating get {
            (asksResource, asksPoint) = (true, true)
            return (resource, point)
        }
    }

    /// The value that a target has, by its place.
    public mutating func value(of target: AttributeTarget) -> AttributeValue? {
        if target.place != .point {
            asksResource = true
            if let found = resource.first(where: { $0.key == target.key }) { return found.value }
        }
        guard target.place != .resource else { return nil }
        asksPoint = true
        return point.first { $0.key == target.key }?.value
    }

    /// Gives a target a value where it stands; a new key goes to the resource, unless the target says `point:`.
    public mutating func set(_ target: AttributeTarget, to value: AttributeValue) {
        if target.place != .point { asksResource = true }
        if target.place != .point, let index = resource.firstIndex(where: { $0.key == target.key }) {
            if resource[index].value != value {
                resource[index].value = value
                hasNewResource = true
            }
            return
        }
        if target.place != .resource {
            asksPoint = true
            if let index = point.firstIndex(where: { $0.key == target.key }) {
                guard point[index].value != value else { return }
                point[index].value = value
                hasNewPoint = true
                return
            }
        }
        if target.place == .point {
            point.append(Attribute(target.key, value))
            hasNewPoint = true
        } else {
            resource.append(Attribute(target.key, value))
            hasNewResource = true
        }
    }

    /// Removes what a target names; a bare key from the resource and from the point.
    public mutating func remove(_ target: AttributeTarget) {
        if target.place != .point { removeFromResource { $0 == target.key } }
        if target.place != .resource { removeFromPoint { $0 == target.key } }
    }

    /// Removes every attribute that no target names.
    public mutating func keep(_ targets: [AttributeTarget]) {
        removeFromResource { key in !targets.contains { $0.key == key && $0.place != .point } }
        removeFromPoint { key in !targets.contains { $0.key == key && $0.place != .resource } }
    }

    private mutating func removeFromResource(_ isLeaving: (String) -> Bool) {
        asksResource = true
        let count = resource.count
        resource.removeAll { isLeaving($0.key) }
        if resource.count != count { hasNewResource = true }
    }
    private mutating func removeFromPoint(_ isLeaving: (String) -> Bool) {
        asksPoint = true
        let count = point.count
        point.removeAll { isLeaving($0.key) }
        if point.count != count { hasNewPoint = true }
    }

    /// Gives an attribute another key where it stands, in place of one that had the key.
    public mutating func rename(_ target: AttributeTarget, to key: String) {
        guard key != target.key else { return }
        if target.place != .point { asksResource = true }
        if target.place != .point, let index = resource.firstIndex(where: { $0.key == target.key }) {
            let value = resource[index].value
            resource.removeAll { $0.key == target.key || $0.key == key }
            resource.append(Attribute(key, value))
            hasNewResource = true
            return
        }
        guard target.place != .resource else { return }
        asksPoint = true
        guard let value = point.first(where: { $0.key == target.key })?.value else { return }
        point.removeAll { $0.key == target.key || $0.key == key }
        point.append(Attribute(key, value))
        hasNewPoint = true
    }
}
