/// Exponential histograms: brought to the lesser scale and the greater zero threshold, then added.
extension Reaggregator {
    mutating func applyExponentials(_ points: ExponentialPoints, _ resolve: Resolve) {
        for index in 0..<points.count {
            let header = CompoundHeader(
                id: points.series[index],
                time: points.times[index],
                start: points.starts[index],
                flags: points.flags[index]
            )
            book(ExponentialMember(points, index), header, resolve)
        }
    }
    mutating func book(_ point: ExponentialMember, _ header: CompoundHeader, _ resolve: Resolve) {
        _ = book(point, header, in: \.exponentials, resolve) { own, number in
            if own.compounds.exponentials.totals[number] == nil {
                own.compounds.exponentials.totals[number] = ExponentialOutput(
                    keepsExtremes: own.outputs[number].state.contains(.keepsExtremes)
                )
            }
            return number
        }
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
            .init(
                offset: Int(side.offset),
                counts: Array(points.buckets[side.start..<side.start + side.count])
            )
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
}

/// The accumulator of an exponential histogram output.
struct ExponentialOutput: CompoundTotal {
    var buckets = ExponentialBuckets()
    var count: UInt64 = 0
    var points = 0
    var extras: CompoundExtras

    init(keepsExtremes: Bool) { extras = CompoundExtras(keepsExtremes: keepsExtremes) }
    mutating func clear() { self = Self(keepsExtremes: extras.keepsExtremes) }
    /// Whether no point was added yet.
    var isEmpty: Bool { points == 0 }

    mutating func join(_ point: ExponentialMember) {
        extras.join(point.sum, point.flags)
        buckets.join(point.buckets)
    }
    mutating func add(_ point: ExponentialMember) {
        buckets.add(point.buckets)
        count &+= point.count
        extras.add(point.sum, point.minimum, point.maximum, point.flags, isFirst: points == 0)
        points += 1
    }
    mutating func add(from old: ExponentialMember, to new: ExponentialMember) -> Bool {
        guard new.count >= old.count, let increase = new.buckets.increase(since: old.buckets) else {
            return false
        }
        buckets.add(increase)
        count &+= new.count - old.count
        extras.add(from: old.sum, to: new.sum, new.flags.intersection(old.flags))
        points += 1
        return true
    }

    func emit(_ output: Output, to points: inout ExponentialPoints) {
        points.series.append(output.id)
        points.times.append(output.emitted)
        points.starts.append(output.start)
        points.flags.append(extras.flags)
        points.counts.append(count)
        points.sums.append(extras.hasSum ? extras.sum.double : 0)
        points.minima.append(extras.extremes?.minimum ?? 0)
        points.maxima.append(extras.extremes?.maximum ?? 0)
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
