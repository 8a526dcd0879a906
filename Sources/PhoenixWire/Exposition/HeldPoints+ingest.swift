import PhoenixModel

extension HeldPoints {
    /// Takes in a batch; `tick` is the store's time.
    func ingest(_ batch: MetricBatch, _ table: SeriesTable, tick: UInt32) {
        counts.received &+= UInt64(batch.count)
        let numbers = batch.numbers
        var place = 0
        // The loop leaves for what is rare, and goes on behind it.
        while let stop = replace(numbers, from: place, tick: tick) {
            rare(numbers, stop, table, tick)
            place = stop + 1
        }
        ingest(batch.histograms, table, tick)
        ingest(batch.exponentials, table, tick)
        let summaries = batch.summaries
        for index in 0..<summaries.count {
            let isEnd = summaries.flags[index].contains(.noRecordedValue)
            compound(summaries.series[index], summaries.times[index], isEnd, table, tick) {
                CompoundPoint(summaries, index)
            }
        }
        for exemplar in batch.exemplars { put(exemplar) }
    }

    /// The common case: known series whose new value replaces the old. Answers the first point that is something else.
    private func replace(_ points: NumberPoints, from start: Int, tick: UInt32) -> Int? {
        var older: UInt64 = 0
        defer { if older > 0 { counts[.outOfOrder] &+= older } }
        let keepsStarts = options.sendsCreated
        return points.series.withUnsafeBufferPointer { series in
            points.times.withUnsafeBufferPointer { times in
                points.values.withUnsafeBufferPointer { values in
                    points.flags.withUnsafeBufferPointer { flags in
                        Self.replace(
                            &records,
                            series,
                            times,
                            values,
                            flags,
                            from: start,
                            tick: tick,
                            stopsAlways: keepsStarts,
                            &older
                        )
                    }
                }
            }
        }
    }
    private static func replace(
        _ records: inout SlotMap<HeldSeries>,
        _ series: UnsafeBufferPointer<SeriesID>,
        _ times: UnsafeBufferPointer<UInt64>,
        _ values: UnsafeBufferPointer<UInt64>,
        _ flags: UnsafeBufferPointer<PointFlags>,
        from start: Int,
        tick: UInt32,
        stopsAlways: Bool,
        _ older: inout UInt64
    ) -> Int? {
        var index = start
        while index < series.count {
            let (id, flag) = (series[index], flags[index])
            guard !flag.contains(.noRecordedValue), !stopsAlways, let record = records.known(id.slot),
                record.pointee.generation == id.generation, record.pointee.isReplaced
            else { return index }
            if times[index] >= record.pointee.time {
                record.pointee.value = values[index]
                record.pointee.time = times[index]
                record.pointee.seen = tick
                record.pointee.isInteger = flag.contains(.isInteger)
            } else {
                older &+= 1
            }
            index += 1
        }
        return nil
    }

    /// A number point that begins a series, ends it, adds up or is dropped.
    private func rare(_ points: NumberPoints, _ index: Int, _ table: SeriesTable, _ tick: UInt32) {
        let (id, time, flags) = (points.series[index], points.times[index], points.flags[index])
        if flags.contains(.noRecordedValue) { return endByPoint(id, time) }
        guard admit(id, table, tick) else { return }
        let number = Number(bits: points.values[index], isInteger: flags.contains(.isInteger))
        let record = records.element(id.slot)
        switch record.pointee.treatment {
        case .compound: counts[.kindMismatch] &+= 1
        case .input where families.plans[Int(record.pointee.plan)]!.treatment == .compound:
            counts[.kindMismatch] &+= 1
        case .refused: counts[families.plans[Int(record.pointee.plan)]!.refusal ?? .kindMismatch] &+= 1
        case .input: add(id.slot, number, start: points.starts[index], time: time, tick)
        case .replace, .add:
            let isFirst = record.pointee.time == 0
            let isDelta = record.pointee.treatment == .add
            guard isFirst || time > record.pointee.time || (!isDelta && time == record.pointee.time) else {
                counts[.outOfOrder] &+= 1
                return
            }
            if record.pointee.isRestored, !isDelta {
                let isBelow = number < record.pointee.number
                if holdsBack(record.pointee, isBelow, start: points.starts[index], tick) {
                    record.pointee.seen = tick
                    return
                }
            }
            record.pointee.isRestored = false
            record.pointee.number = isDelta && !isFirst ? record.pointee.number + number : number
            record.pointee.time = time
            record.pointee.seen = tick
            if options.sendsCreated, isFirst || !isDelta {
                starts.element(id.slot).pointee = points.starts[index]
            }
        }
    }
    func add(_ slot: UInt32, _ number: Number, start: UInt64, time: UInt64, _ tick: UInt32) {
        let output = records[slot].entity
        let law = families.plans[Int(records[slot].plan)]!.law
        if case .level = law {
            guard merge.replace(slot, with: number, start: start, time: time) else {
                counts[.outOfOrder] &+= 1
                return
            }
            showLevel(output, at: time)
        } else {
            guard let increment = merge.increment(slot, number, start: start, time: time, law) else {
                counts[.outOfOrder] &+= 1
                return
            }
            var shown = merged[Int(output)]
            shown.number = merge.sum(shown.number, increment, output: output)
            shown.time = max(shown.time, time)
            merged[Int(output)] = shown
        }
        records.element(slot).pointee.seen = tick
        merge.touch(slot, at: tick)
        merged[Int(output)].seen = max(merged[Int(output)].seen, tick)
    }
    /// Shows what levels say together, so far as that is known.
    func showLevel(_ output: UInt32, at time: UInt64) {
        if let level = merge.level(of: output) { merged[Int(output)].number = level }
        merged[Int(output)].time = max(merged[Int(output)].time, time)
    }
    /// Shows it where it had to be looked for.
    func settleLevels() { merge.settle { merged[Int($0)].number = $1 } }

    /// A point of several numbers.
    func compound(
        _ id: SeriesID,
        _ time: UInt64,
        _ isEnd: Bool,
        _ table: SeriesTable,
        _ tick: UInt32,
        _ make: () -> CompoundPoint
    ) {
        if isEnd { return endByPoint(id, time) }
        guard admit(id, table, tick) else { return }
        let record = records.element(id.slot)
        let plan = families.plans[Int(record.pointee.plan)]!
        switch record.pointee.treatment {
        case .replace, .add: counts[.kindMismatch] &+= 1
        case .input where plan.treatment != .compound: counts[.kindMismatch] &+= 1
        case .refused: counts[plan.refusal ?? .kindMismatch] &+= 1
        case .input: add(id.slot, make(), time, plan.law, tick)
        case .compound:
            let isFirst = record.pointee.time == 0
            guard isFirst || time > record.pointee.time || (!plan.isDelta && time == record.pointee.time)
            else {
                counts[.outOfOrder] &+= 1
                return
            }
            let (point, held) = (make(), compounds[Int(record.pointee.value)]!)
            if record.pointee.isRestored, !plan.isDelta {
                let isBelow = point.increase(since: held) == nil
                if holdsBack(record.pointee, isBelow, start: point.start, tick) {
                    record.pointee.seen = tick
                    return
                }
            }
            record.pointee.isRestored = false
            // Deltas of other buckets than before begin anew, as after a restart of their sender.
            if isFirst || !plan.isDelta || !held.add(point) { held.replace(with: point) }
            record.pointee.time = time
            record.pointee.seen = tick
        }
    }
    func add(
        _ slot: UInt32,
        _ point: CompoundPoint,
        _ time: UInt64,
        _ law: CollisionMerge.Law,
        _ tick: UInt32
    ) {
        let output = Int(records[slot].entity)
        guard let increment = merge.increment(slot, point, time: time, law) else {
            counts[.outOfOrder] &+= 1
            return
        }
        records.element(slot).pointee.seen = tick
        merge.touch(slot, at: tick)
        let held = compounds[Int(merged[output].value)]!
        merged[output].seen = max(merged[output].seen, tick)
        if !held.merge(increment) {
            counts[.layoutMismatch] &+= 1
        } else if held.shape == .summary, merge.hasOneInput(UInt32(output)) {
            held.content = point.content
        }
        merged[output].time = max(merged[output].time, time)
    }

    /// `NO_RECORDED_VALUE`: the series ends with this point, unless a newer one is held.
    func endByPoint(_ id: SeriesID, _ time: UInt64) {
        predecessor?.store.end(id, time)
        let record = records[id.slot]
        guard record.generation == id.generation else { return }
        let last = record.treatment == .input ? merge.inputs[id.slot]?.time ?? 0 : record.time
        guard time >= last else { return }
        end(id.slot, at: time)
        counts.ended &+= 1
    }

    private func put(_ exemplar: Exemplar) {
        let record = records[exemplar.series.slot]
        guard record.generation == exemplar.series.generation, record.position != .max,
            let family = families.plans[Int(record.plan)]?.family
        else { return }
        var bounds: [Double]?
        switch family.type {
        case .counter: break
        case .histogram:
            guard let point = compounds[Int(record.value)] else { return }
            switch point.shape {
            case .histogram: bounds = point.numbers.pointee.layout.bounds
            case .exponential: bounds = point.classicBuckets.dropLast().map(\.bound)
            case .summary: return
            }
        default: return
        }
        if !exemplars.put(exemplar, slot: exemplar.series.slot, bounds: bounds) {
            counts.droppedExemplars &+= 1
        }
    }
}
