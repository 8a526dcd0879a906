import PhoenixModel

/// The exemplars that are held: of a counter the newest, of a histogram the newest of each bucket.
struct ExemplarShelf {
    struct Held {
        var value: Double
        var time: UInt64
        /// ` # {…} value time`, ready to be put behind a sample.
        var text: [UInt8]
        /// How many bytes of it are labels.
        var labelCount: Int
        fileprivate static let opening = " # {"

        /// The labels in the bytes of `text`.
        func labels(in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
            let begin = Self.opening.utf8.count
            return UnsafeRawBufferPointer(rebasing: text[begin..<begin + labelCount])
        }
    }
    private var held: [UInt32: [Held]] = [:]
    private(set) var count = 0
    private let maximum: Int
    private static let maximumEach = 32
    /// OpenMetrics: names and values of an exemplar's labels together.
    private static let maximumLength = 128

    init(maximum: Int) { self.maximum = maximum }
    var isEmpty: Bool { held.isEmpty }
    subscript(slot: UInt32) -> [Held] { held[slot] ?? [] }

    /// Puts an exemplar in, in place of the one of its bucket; `bounds` nil means that there is one bucket.
    mutating func put(_ exemplar: Exemplar, slot: UInt32, bounds: [Double]?) -> Bool {
        let value = Number(bits: exemplar.bits, isInteger: exemplar.flags.contains(.isInteger)).double
        guard value.isFinite else { return false }
        let new = Self.rendered(exemplar, value)
        var list = held[slot] ?? []
        func bucket(_ value: Double) -> Int { bounds?.firstIndex { value <= $0 } ?? bounds?.count ?? 0 }
        let place = bounds == nil ? list.indices.first : list.firstIndex { bucket($0.value) == bucket(value) }
        if let place {
            guard list[place].time <= new.time else { return true }
            list[place] = new
        } else if list.count < Self.maximumEach, count < maximum {
            list.append(new)
            count += 1
        } else {
            return false
        }
        held[slot] = list
        return true
    }
    mutating func remove(_ slot: UInt32) {
        guard !held.isEmpty, let list = held.removeValue(forKey: slot) else { return }
        count -= list.count
    }

    private static func rendered(_ exemplar: Exemplar, _ value: Double) -> Held {
        let labels = ExposedLabel.block(labels(of: exemplar))
        var bytes = Held.opening.utf8 + labels + Array("} ".utf8)
        bytes += NumberText.string(value, needsPoint: true).utf8
        if exemplar.timeUnixNano > 0 {
            bytes.append(UInt8(ascii: " "))
            var page = ExpositionPage(capacity: 64)
            page.write(time: exemplar.timeUnixNano, .openMetrics)
            bytes += page.bytes
        }
        return Held(value: value, time: exemplar.timeUnixNano, text: bytes, labelCount: labels.count)
    }
    /// The ids of trace and span, which win, and the filtered attributes where all of them fit.
    private static func labels(of exemplar: Exemplar) -> [ExposedLabel] {
        func hex(_ bytes: [UInt8]) -> String {
            let digits = Array("0123456789abcdef".utf8)
            return String(
                decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
                as: UTF8.self
            )
        }
        var labels: [ExposedLabel] = []
        if !exemplar.traceID.isEmpty { labels.append(ExposedLabel("trace_id", hex(exemplar.traceID))) }
        if !exemplar.spanID.isEmpty { labels.append(ExposedLabel("span_id", hex(exemplar.spanID))) }
        let candidates = exemplar.filteredAttributes.attributes.map {
            LabelPlan.Candidate(key: $0.key, name: LabelName.sanitized($0.key), value: $0.value.text)
        }
        let filtered = LabelPlan.resolved(candidates, reserving: .none).filter { label in
            !labels.contains { $0.name == label.name }
        }
        func length(_ labels: [ExposedLabel]) -> Int {
            labels.reduce(0) { $0 + $1.name.unicodeScalars.count + $1.value.unicodeScalars.count }
        }
        if length(labels + filtered) <= maximumLength { labels += filtered }
        return length(labels) <= maximumLength ? labels : []
    }
}
