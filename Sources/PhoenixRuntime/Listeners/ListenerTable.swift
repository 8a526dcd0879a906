import PhoenixGraph

/// The decisions of the listeners: who wants which path of which address, and what must be opened and closed.
///
/// Between two settled generations there are claims of both: those of the new one are pending until their node takes
/// over, those that they replace are parked until the change is settled or undone.
struct ListenerTable {
    struct Key: Hashable {
        var address: String
        var protocolName: String
        /// Whose, where the port is 0: each node then gets a port of its own.
        var owner: String?
        /// However the address is spelled, its key is the same.
        init(_ address: String, protocol protocolName: String, owner: String) {
            self.address = ListenAddress.place(of: address)
            self.protocolName = protocolName
            self.owner = address.hasSuffix(":0") && !address.hasPrefix("unix:") ? owner : nil
        }
        /// Whether nobody reaches it from another machine.
        var isLocal: Bool { ListenAddress(written: address)?.isLocal ?? false }
        /// Whether who has the one may keep another from the other.
        func mayMeet(_ other: Self) -> Bool {
            guard owner == nil, other.owner == nil else { return false }
            guard let one = ListenAddress(written: address), let two = ListenAddress(written: other.address)
            else {
                return address == other.address
            }
            return one.mayMeet(two)
        }
    }
    struct Change {
        /// The addresses wanted once the change is settled, each with the routes to serve.
        var wanted: [Key: [Route]] = [:]
        var opened: [Key] = []
        /// The addresses that are open, and not wanted once the change is settled.
        var leaving: [Key] = []
        /// Tells it from those before and after it.
        var generation: Int
    }
    private enum Phase {
        /// Not served yet: its node belongs to the generation that is being made.
        case pending
        case served
        /// Served before, until the heir of its node took over.
        case parked
    }
    private struct Claim {
        var key: Key
        var route: Route
        var phase: Phase
        var generation: Int
    }
    private var claims: [Claim] = []
    private(set) var generation = 0
    /// The owners whose claims end when the change is settled.
    private var leaving: Set<String> = []
    private(set) var open: Set<Key> = []
    /// Addresses that this change opened where it gives up others that meet them: a new host on the same port, or another
    /// protocol.
    private var places: [(new: Key, old: Key)] = []

    /// The claims that are served.
    var served: [(key: Key, route: Route)] {
        claims.filter { $0.phase == .served }.map { ($0.key, $0.route) }
    }

    mutating func attach(_ key: Key, _ routes: [Route]) {
        claims += routes.map { Claim(key: key, route: $0, phase: .pending, generation: generation) }
    }
    /// The node's served claims end with this change: an heir that claims the same address keeps it open.
    mutating func leave(_ owner: String) { leaving.insert(owner) }

    /// What must be opened for the claims; or the first conflict among those that are to stay.
    func change() throws -> Change {
        var change = Change(generation: generation)
        var protocols: [String: Claim] = [:]
        for claim in claims where claim.phase == .pending || stays(claim) {
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
        change.opened = Set(change.wanted.keys).subtracting(open).sorted { $0.address < $1.address }
        change.leaving = open.subtracting(change.wanted.keys).sorted { $0.address < $1.address }
        return change
    }
    private func stays(_ claim: Claim) -> Bool {
        claim.phase == .served && (claim.generation == generation || !leaving.contains(claim.route.owner))
    }

    /// What the change wants was opened.
    mutating func noteOpened(_ change: Change) {
        open.formUnion(change.opened)
        places = change.opened.flatMap { new in
            change.leaving.filter { new.mayMeet($0) }.map { (new: new, old: $0) }
        }
    }

    /// The new claims of these owners are served in place of those before them; answers whether there were such.
    mutating func switchOver(_ owners: Set<String>) -> Bool {
        var isReplacing = false
        for index in claims.indices where owners.contains(claims[index].route.owner) {
            switch claims[index].phase {
            case .served where claims[index].generation < generation:
                claims[index].phase = .parked
                isReplacing = true
            case .pending: claims[index].phase = .served
            case .served, .parked: continue
            }
        }
        return isReplacing
    }
    var pendingOwners: Set<String> { Set(claims.filter { $0.phase == .pending }.map(\.route.owner)) }

    /// What was parked or leaves is forgotten; answers the addresses that nobody wants any more.
    mutating func settle() -> [Key] {
        claims = claims.filter { $0.phase == .pending || stays($0) }
        return begin()
    }
    /// Everything is as it was when the change began; answers the addresses that nobody wants any more.
    ///
    /// - Parameter closing: false keeps the addresses that were opened, for they may still be in use.
    mutating func undo(closing: Bool = true) -> [Key] {
        claims.removeAll { $0.generation == generation }
        for index in claims.indices { claims[index].phase = .served }
        leaving = []
        return closing ? begin() : []
    }
    private mutating func begin() -> [Key] {
        generation += 1
        leaving = []
        places = []
        let wanted = Set(claims.map(\.key))
        defer { open.formIntersection(wanted) }
        return open.subtracting(wanted).sorted { $0.address < $1.address }
    }

    /// What each open address serves now.
    ///
    /// Until the change is settled or undone an address and the one in whose place it was opened serve what the other does
    /// too: who comes by the new one finds what is still served at the old one, and who has stayed connected to that finds
    /// what has moved. What was served over one protocol is not offered over another, though, before it has moved, and what
    /// only this machine could reach not to others.
    var routes: [Key: [Route]] {
        let own = ownRoutes
        var result = own
        func add(_ routes: [Route]?, to key: Key) {
            for route in routes ?? [] where result[key]?.contains(where: { $0.path == route.path }) == false {
                result[key]?.append(route)
            }
        }
        for (new, old) in places {
            if !new.isLocal || old.isLocal { add(own[new], to: old) }
            if new.protocolName == old.protocolName, !old.isLocal || new.isLocal { add(own[old], to: new) }
        }
        return result
    }
    /// Of two claims of one path the newer.
    private var ownRoutes: [Key: [Route]] {
        var result = [Key: [Route]](uniqueKeysWithValues: open.map { ($0, []) })
        for claim in claims.filter({ $0.phase == .served }).sorted(by: { $0.generation < $1.generation }) {
            result[claim.key]?.removeAll { $0.path == claim.route.path }
            result[claim.key]?.append(claim.route)
        }
        return result
    }
}
