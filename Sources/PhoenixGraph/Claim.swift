/// Something outside that two nodes may not both take.
public enum Claim: Sendable, Hashable {
    /// A path on an address. Nodes may share an address when they speak one protocol and their paths are disjoint;
    /// a path that ends in `*` covers all that begin with what stands before it, any other only itself. Port 0 is never
    /// shared: each listener gets a port of its own.
    case listen(address: String, protocol: String, path: String)
    case readsFile(String)
    case writesFile(String)
    /// A file that is read once, when the node is made: what is in it counts as a setting, by this name. Any number of nodes
    /// may load it.
    case loadsFile(String, setting: String)
}
