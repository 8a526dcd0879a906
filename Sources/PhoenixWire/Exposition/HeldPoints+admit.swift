import PhoenixModel

extension HeldPoints {
    /// Sees to it that a point's series is held; false where the point was dropped and counted.
    func admit(_ id: SeriesID, _ table: SeriesTable, _ tick: UInt32) -> Bool {
        let record = records[id.slot]
        if record.generation == id.generation {
            // A refusal is looked at again after a while: what stood in the way may have gone.
            guard record.treatment == .refused, tick &- record.seen > expirationTicks else { return true }
            end(id.slot)
        } else if record.generation == 0, held >= options.maximumSeries {
            counts[.seriesLimit] &+= 1
            return false
        }
        guard let series = table.series(id) else {
            counts[.staleSeries] &+= 1
            return false
        }
        // The slot has a new tenant: the old one is gone, or its end was missed.
        if records[id.slot].generation != 0 { end(id.slot) }
        guard held < options.maximumSeries, let place = families.plan(series.metric) else {
            counts[.seriesLimit] &+= 1
            return false
        }
        let plan = families.plans[Int(place)]!
        guard let family = plan.family else {
            var refused = HeldSeries(generation: id.generation, entity: 0, plan: place, treatment: .refused)
            refused.seen = tick
            families.use(place)
            records.element(id.slot).pointee = refused
            return true
        }
        held += 1
        let entity = entities.entity(series)
        var new = HeldSeries(
            generation: id.generation,
            entity: entity,
            plan: place,
            treatment: plan.treatment,
            addsWindows: plan.isDelta
        )
        new.seen = tick
        if let member = member(of: family.id, entity) {
            share(id, new, with: member, plan, tick)
            return true
        }
        if plan.treatment == .compound { new.value = hold(Self.emptyPoint) }
        join(id.slot, new)
        return true
    }
    private static var emptyPoint: CompoundPoint {
        CompoundPoint(count: 0, sum: nil, start: 0, content: .histogram(layout: .none, buckets: []))
    }

    /// Makes a series one of several behind a label set that is exposed already.
    private func share(
        _ id: SeriesID,
        _ new: HeldSeries,
        with member: UInt32,
        _ plan: MetricPlan,
        _ tick: UInt32
    ) {
        counts.collisions &+= 1
        let output =
            member & ExposedFamily.mergedBit != 0 ? member & ~ExposedFamily.mergedBit : turnIntoMerge(member)
        var input = HeldSeries(generation: id.generation, entity: output, plan: new.plan, treatment: .input)
        input.seen = tick
        families.use(new.plan)
        records.element(id.slot).pointee = input
        merge.adopt(id.slot, into: output, seen: tick)
    }

    /// Puts a merged series in the place of a member, which becomes its first input: what is exposed stays as it is.
    private func turnIntoMerge(_ slot: UInt32) -> UInt32 {
        let record = records[slot]
        let plan = families.plans[Int(record.plan)]!
        let output = freeMerged.popLast() ?? UInt32(merged.count)
        if Int(output) == merged.count { merged.append(HeldSeries()) }
        let key = output | ExposedFamily.mergedBit
        // The same chain and the same place: only the name of the element changes.
        index.remove(
            slot,
            hash: pairHash(families.familyOfPlan[Int(record.plan)], record.entity),
            next: { self[$0].next },
            link: { self[$0].next = $1 }
        )
        var shown = record
        (shown.generation, shown.position) = (1, record.position)
        shown.next = index.insert(key, hash: pairHash(families.familyOfPlan[Int(record.plan)], record.entity))
        var start: UInt64 = 0
        var last: CompoundPoint?
        if plan.treatment == .compound, record.time != 0, let point = compounds[Int(record.value)] {
            (start, last) = (point.start, point.copy())
        }
        merged[Int(output)] = shown
        plan.family!.members[Int(record.position)] = key
        families.use(record.plan)
        exemplars.remove(slot)
        var input = HeldSeries(
            generation: record.generation,
            entity: output,
            plan: record.plan,
            treatment: .input
        )
        input.seen = record.seen
        records.element(slot).pointee = input
        merge.adopt(
            slot,
            .init(
                output: output,
                number: record.number,
                compound: last,
                start: start,
                time: record.time,
                seen: record.seen
            ),
            plan.law
        )
        return output
    }
}
