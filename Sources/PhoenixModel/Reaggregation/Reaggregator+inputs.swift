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
    /// The known inputs that go somewhere, with the series that they go to.
    public var pairs: [(input: SeriesID, output: SeriesID)] {
        mutating get {
            inputs.compactMap { id in
                let number = members[id.slot].output
                return number < Self.firstDropped ? (id, outputs[number].id) : nil
            }
        }
    }
}
