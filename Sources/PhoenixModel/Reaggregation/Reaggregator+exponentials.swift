/// Exponential histograms: brought to the lesser scale and the greater zero threshold, then added.
extension Reaggregator {
    mutating func applyExponentials(_ points: ExponentialPoints, _ resolve: Resolve) {
        for index in 0..<points.count {
            let slot = points.series[index].slot
            guard let number = route(points.series[index], flags: points.flags[index], resolve) else { continue }
            let point = ExponentialMember(points, index)
            let (time, start) = (points.times[index], points.starts[index])
            if compounds.exponentialOutputs[number] == nil {
                compounds.exponentialOutputs[number] = ExponentialOutput(scale: point.buckets.scale)
            }
            if isDelta(number) {
                guard !isRepetition(slot, time: time, start: start) else {
                    counts.late += 1
                    continue
                }
                if openWindow(number, start: start) {
                    compounds.exponentialOutputs[number] = ExponentialOutput(scale: point.buckets.scale)
                }
                compounds.exponentialOutputs[number]?.add(point, extremes: true)
            } else {
                guard follow(point, slot, number, time: time, start: start) else { continue }
            }
            remember(slot, time: time, start: start)
            touch(number, time: time)
        }
    }
    private mutating func follow(
        _ point: ExponentialMember, _ slot: UInt32, _ number: UInt32, time: UInt64, start: UInt64
    ) -> Bool {
        let previous = compounds.exponentialMembers[slot]
        switch succession(slot, time: time, start: start) {
        case .late:
            counts.late += 1
            return false
        case .first(let fromZero):
            if fromZero {
                open(number, from: start)
                compounds.exponentialOutputs[number]?.add(point, extremes: false)
            } else {
                compounds.exponentialOutputs[number]?.join(point)
            }
        case .increase:
            if let previous, let increase = point.increase(since: previous) {
                compounds.exponentialOutputs[number]?.add(increase, previous: previous, point)
                break
            }
            counts.resets += 1
            compounds.exponentialOutputs[number]?.add(point, extremes: false)
        case .reset:
            counts.resets += 1
            compounds.exponentialOutputs[number]?.add(point, extremes: false)
        }
        compounds.exponentialMembers[slot] = point
        return true
    }
}

/// The last point of an exponential histogram series.
struct ExponentialMember: Sendable {
    var buckets: ExponentialBuckets
    var count: UInt64
    var sum: Double
    var minimum: Double
    var maximum: Double
    var flags: PointFlags

    init(_ points: ExponentialPoints, _ index: Int) {
        func side(_ side: ExponentialPoints.Side) -> ExponentialBuckets.Side {
            .init(offset: Int(side.offset), counts: Array(points.buckets[side.start..<side.start + side.count]))
        }
        buckets = ExponentialBuckets(
            scale: points.scales[index],
            zeroCount: points.zeroCounts[index],
            zeroThreshold: points.zeroThresholds[index],
            positive: side(points.positives[index]),
            negative: side(points.negatives[index])
        )
        (count, sum, flags) = (points.counts[index], points.sums[index], points.flags[index])
        (minimum, maximum) = (points.minima[index], points.maxima[index])
    }
    func increase(since earlier: ExponentialMember) -> ExponentialBuckets? {
        count < earlier.count ? nil : buckets.increase(since: earlier.buckets)
    }
}

/// The accumulator of an exponential histogram output.
struct ExponentialOutput: Sendable {
    private var buckets = ExponentialBuckets()
    private var count: UInt64 = 0
    private var sum = ExactSum()
    private var hasSum = true
    private var extremes: (minimum: Double, maximum: Double)?

    init(scale: Int32) { buckets.scale = scale }

    mutating func join(_ point: ExponentialMember) { if !point.flags.contains(.hasSum) { hasSum = false } }
    mutating func add(_ point: ExponentialMember, extremes isWithExtremes: Bool) {
        buckets.add(point.buckets)
        count &+= point.count
        join(point)
        sum.add(point.sum)
        guard isWithExtremes, point.flags.isSuperset(of: [.hasMinimum, .hasMaximum]) else { return }
        extremes = (
            min(extremes?.minimum ?? point.minimum, point.minimum), max(extremes?.maximum ?? point.maximum, point.maximum)
        )
    }
    mutating func add(_ increase: ExponentialBuckets, previous: ExponentialMember, _ point: ExponentialMember) {
        buckets.add(increase)
        count &+= point.count - previous.count
        join(point)
        sum.add(difference: point.sum, previous.sum)
    }

    func emit(_ output: Output, to points: inout ExponentialPoints) {
        points.series.append(output.id)
        points.times.append(output.time)
        points.starts.append(min(output.start, output.time &- 1))
        var flags: PointFlags = hasSum ? .hasSum : []
        if extremes != nil { flags.formUnion([.hasMinimum, .hasMaximum]) }
        points.flags.append(flags)
        points.counts.append(count)
        points.sums.append(hasSum ? sum.double : 0)
        points.minima.append(extremes?.minimum ?? 0)
        points.maxima.append(extremes?.maximum ?? 0)
        points.scales.append(buckets.scale)
        points.zeroCounts.append(buckets.zeroCount)
        points.zeroThresholds.append(buckets.zeroThreshold)
        points.positives.append(points.store(buckets.positive))
        points.negatives.append(points.store(buckets.negative))
    }
}

extension ExponentialPoints {
    fileprivate mutating func store(_ side: ExponentialBuckets.Side) -> Side {
        guard let (low, high) = side.bounds else { return Side() }
        let start = buckets.count
        for index in low...high { buckets.append(side[index]) }
        return Side(offset: Int32(clamping: low), start: start, count: high - low + 1)
    }
}
