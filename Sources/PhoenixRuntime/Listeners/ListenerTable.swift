/// The decisions of the listeners: who wants which path of which address, and what must be opened and closed.
struct ListenerTable {
    struct Key: Hashable {
        var address: String
        var protocolName: String
        /// Whose, where the port is 0: each node then gets a port of its own.
        var owner: String?
        init(_ address: String, protocol protocolName: String, owner: String) {
            (self.address, self.protocolName) = (address, protocolName)
            self.owner = address.hasSuffix(":0") ? owner : nil
        }
    }
    struct Change {
        /// The addresses wanted, each with the routes to serve and the node that wants it first.
        var wanted: [Key: [Route]] = [:]
        var opened: [Key] = []
        var closed: [Key] = []
    }
    private struct Claim {
        var key: Key
        var route: Route
        /// Not served yet: its node belongs to the generation that is being made.
        var isPending: Bool
    }
    private var claims: [Claim] = []
    /// The owners whose served claims the next commit gives up.
    private var leaving: Set<String> = []
    private(set) var open: Set<Key> = []

    /// The claims that are served.
    var served: [(key: Key, route: Route)] { claims.filter { !$0.isPending }.map { ($0.key, $0.route) } }

    mutating func attach(_ key: Key, _ routes: [Route]) {
        claims += routes.map { Claim(key: key, route: $0, isPending: true) }
    }
    /// The node's served claims go with the next commit: an heir that claims the same address meanwhile keeps it open.
    mutating func leave(_ owner: String) { leaving.insert(owner) }
    /// The claims not yet served are dropped: their nodes were not made after all.
    mutating func abandon() {
        claims.removeAll(where: \.isPending)
        leaving = []
    }

    /// What must change for the claims; or the first conflict among them.
    func change() throws -> Change {
        var change = Change()
        var protocols: [String: Claim] = [:]
        for claim in claims where claim.isPending || !leaving.contains(claim.route.owner) {
            let (key, route) = (claim.key, claim.route)
            if let other = protocols[key.address], other.key != key, key.owner == nil {
                throw ListenError(
                    .conflict,
                    address: key.address,
                    owner: route.owner,
                    "\(other.route.owner) speaks \(other.key.protocolName) there; choose another address"
                )
            }
            protocols[key.address] = claim
            if let other = change.wanted[key]?.first(where: { $0.path == route.path }) {
                throw ListenError(
                    .conflict,
                    address: key.address,
                    owner: route.owner,
                    "\(other.owner) serves \(route.path) there; choose another path or address"
                )
            }
            change.wanted[key, default: []].append(route)
        }
        let wanted = Set(change.wanted.keys)
        change.opened = wanted.subtracting(open).sorted { $0.address < $1.address }
        change.closed = open.subtracting(wanted).sorted { $0.address < $1.address }
        return change
    }

    /// The change was carried out.
    mutating func settle(_ change: Change) {
        claims.removeAll { !$0.isPending && leaving.contains($0.route.owner) }
        for index in claims.indices { claims[index].isPending = false }
        leaving = []
        open = Set(change.wanted.keys)
    }
}
