import PhoenixModel

extension HeldPoints {
    /// Ends what nothing came for, looking at no more than `limit` members; true when a pass is complete.
    ///
    /// A pass begins with the inputs of merged series: what such a series took from them stays, and one of levels ends with the
    /// last of them.
    func expire(tick: UInt32, limit: Int) -> Bool {
        guard tick > expirationTicks else { return true }
        let oldest = tick - expirationTicks
        if sweepFamily == nil {
            for slot in merge.slots(seenBefore: oldest) {
                let output = records[slot].entity
                removeInput(slot)
                counts.expired &+= 1
                guard merge.isLevel(output), !merge.hasInputs(output) else { continue }
                leave(output | ExposedFamily.mergedBit)
                counts.expired &+= 1
            }
        }
        var left = limit
        var family = sweepFamily == nil ? families.family(after: nil) : current()
        while let open = family {
            sweepFamily = open.name.family
            while sweepPlace < open.members.count {
                guard left > 0 else { return false }
                left -= 1
                let (key, place) = (open.members[sweepPlace], sweepPlace)
                sweepPlace += 1
                let record = self[key]
                guard record.position == place, isMember(record, of: open), record.seen < oldest else {
                    continue
                }
                if key & ExposedFamily.mergedBit != 0, merge.hasInputs(key & ~ExposedFamily.mergedBit) {
                    continue
                }
                leave(key)
                counts.expired &+= 1
            }
            sweepPlace = 0
            family = families.family(after: open.name.family)
        }
        sweepFamily = nil
        finishPass(oldest)
        return true
    }
    /// The family in which the last call stopped, or the one after it.
    private func current() -> ExposedFamily? {
        guard let name = sweepFamily else { return nil }
        if let same = families.family(named: name) { return same }
        sweepPlace = 0
        return families.family(after: name)
    }
    /// Lets go of refusals, empty pages, and names that nothing is exposed under.
    private func finishPass(_ oldest: UInt32) {
        var refused: [UInt32] = []
        records.sweep { slot, record in
            guard record.generation != 0 else { return false }
            if record.treatment == .refused, record.seen < oldest { refused.append(slot) }
            return true
        }
        for slot in refused { end(slot) }
        families.sweep()
    }
}
