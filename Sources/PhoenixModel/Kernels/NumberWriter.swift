/// Writes number points into columns of a known capacity: five stores a point, where appending to five arrays checks each
/// of them for its owner and its room.
///
/// Valid only inside `NumberPoints.init(capacity:_:)`, which owns the memory; `append` counts, so that nothing is written
/// beyond it.
struct NumberWriter {
    fileprivate let series: UnsafeMutablePointer<SeriesID>
    fileprivate let times: UnsafeMutablePointer<UInt64>
    fileprivate let starts: UnsafeMutablePointer<UInt64>
    fileprivate let values: UnsafeMutablePointer<UInt64>
    fileprivate let flags: UnsafeMutablePointer<PointFlags>
    fileprivate let capacity: Int
    fileprivate(set) var count = 0

    @inline(__always)
    mutating func append(
        _ id: SeriesID,
        time: UInt64,
        start: UInt64,
        bits: UInt64,
        flags pointFlags: PointFlags
    ) {
        precondition(count < capacity)
        series[count] = id
        times[count] = time
        starts[count] = start
        values[count] = bits
        flags[count] = pointFlags
        count += 1
    }
}

extension NumberPoints {
    /// At most `capacity` points, as `write` appends them.
    @inline(__always)
    init(capacity: Int, _ write: (inout NumberWriter) -> Void) {
        var (times, starts, values, flags) = ([UInt64](), [UInt64](), [UInt64](), [PointFlags]())
        series = [SeriesID](unsafeUninitializedCapacity: capacity) { series, count in
            times = [UInt64](unsafeUninitializedCapacity: capacity) { times, timeCount in
                starts = [UInt64](unsafeUninitializedCapacity: capacity) { starts, startCount in
                    values = [UInt64](unsafeUninitializedCapacity: capacity) { values, valueCount in
                        flags = [PointFlags](unsafeUninitializedCapacity: capacity) { flags, flagCount in
                            // Without capacity there are no addresses, and nothing is written.
                            guard capacity > 0 else { return }
                            var writer = NumberWriter(
                                series: series.baseAddress!,
                                times: times.baseAddress!,
                                starts: starts.baseAddress!,
                                values: values.baseAddress!,
                                flags: flags.baseAddress!,
                                capacity: capacity
                            )
                            write(&writer)
                            (count, timeCount, startCount) = (writer.count, writer.count, writer.count)
                            (valueCount, flagCount) = (writer.count, writer.count)
                        }
                    }
                }
            }
        }
        (self.times, self.starts, self.values, self.flags) = (times, starts, values, flags)
    }
}
