extension Reaggregator {
    /// The input series that are known now, in the order of their slots.
    public var inputs: [SeriesID] {
        mutating get {
            var ids: [SeriesID] = []
            members.sweep { slot, member in
                if member.generation != 0 { ids.append(SeriesID(slot: slot, generation: member.generation)) }
                return member.generation != 0
            }
            return ids
        }
    }
}
