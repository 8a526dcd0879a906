import PhoenixModel
import PhoenixRuntime

/// How many distinct outputs each of a node's programs would make of the inputs that live.
///
/// The node says which inputs came and went; a task beside it judges them, a slice at a time, each once for each program. A
/// program holds four bytes an input and about twenty an output (`KeyCounts`).
final class Foresight<Program: IdentityProgram & Equatable>: Sendable {
    /// What the programs would admit, once every input that lives is judged.
    struct Forecast: Sendable {
        var programs: [Program]
        var counts: [Int]
    }
    private struct Change: Sendable {
        var programs: [Program]?
        var forgetsVerdicts = false
        var gone: [UInt32] = []
        var born: [SeriesID] = []
    }
    private struct Queue: Sendable {
        var changes: [Change] = []
        var forecast: Forecast?
    }
    /// What belongs to the task that works.
    private final class Desk {
        var books: [Book] = []
        var programs: [Program] = []
        var todo: [SeriesID] = []
    }
    private final class Book {
        let program: Program
        var counts = KeyCounts()
        var cache = VerdictCache()
        init(_ program: Program) { self.program = program }
    }
    /// So many inputs are judged at once.
    private static var sliceInputs: Int { 512 }
    private let table: SeriesTable
    private let queue: Lock<Queue>
    private let desk = Lock(Desk())

    init(_ programs: [Program], _ table: SeriesTable) {
        self.table = table
        queue = Lock(Queue(changes: [Change(programs: programs)]))
    }

    /// The newest count; nil before the first.
    var forecast: Forecast? { queue.withLock { $0.forecast } }
    /// What is held in memory, in bytes.
    var byteCount: Int { desk.withLock { $0.books.reduce(0) { $0 + $1.counts.byteCount } } }

    /// Whether so much waits that more is better added later, in one.
    var isBehind: Bool { queue.withLock { $0.changes.count > 4 } }

    /// Begins anew with other programs: all inputs are to be added again.
    func begin(_ programs: [Program]) {
        queue.withLock { $0 = Queue(changes: [Change(programs: programs)]) }
    }
    /// Inputs that live, to be judged, and the slots of those that do not live any more. `anew`: some of the inputs were
    /// judged before, and the programs may have changed their mind.
    func add(_ born: [SeriesID], gone: [UInt32], anew: Bool) {
        if born.isEmpty, gone.isEmpty { return }
        queue.withLock { $0.changes.append(Change(forgetsVerdicts: anew, gone: gone, born: born)) }
    }

    /// Judges a slice of what was added; true when nothing is left, and `forecast` is that of now.
    func work() -> Bool {
        desk.withLock { desk in
            if desk.todo.isEmpty { take(desk) }
            for _ in 0..<Self.sliceInputs {
                guard let id = desk.todo.popLast() else { return conclude(desk) }
                judge(id, desk)
            }
            return false
        }
    }
    private func take(_ desk: Desk) {
        guard let change = queue.withLock({ $0.changes.isEmpty ? nil : $0.changes.removeFirst() }) else {
            return
        }
        if let programs = change.programs {
            (desk.programs, desk.books) = (programs, programs.map(Book.init))
        }
        for book in desk.books {
            if change.forgetsVerdicts { book.cache.removeAll() }
            for slot in change.gone { book.counts.remove(slot) }
        }
        desk.todo = change.born
    }
    private func judge(_ id: SeriesID, _ desk: Desk) {
        // One that is retired already is among those gone of the next count.
        guard let series = table.series(id) else { return }
        for book in desk.books {
            let program = book.program
            let outcome = book.cache.outcome(of: series, nil) { program.foresee(&$0) }
            switch outcome {
            case .drop: book.counts.remove(id.slot)
            case .pass(let name):
                let key = series.fingerprint(
                    metric: name.metric,
                    resource: name.resource ?? series.resource,
                    attributes: name.point ?? series.attributes
                )
                book.counts.set(id.slot, to: key)
            }
        }
    }
    private func conclude(_ desk: Desk) -> Bool {
        queue.withLock { queue in
            guard queue.changes.isEmpty else { return false }
            guard !desk.programs.isEmpty else { return true }
            queue.forecast = Forecast(programs: desk.programs, counts: desk.books.map { $0.counts.distinct })
            return true
        }
    }
}

/// Slots, a bit for each.
struct SlotSet: Sendable, Equatable {
    private var words: [UInt64] = []
    /// How many there are.
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    var isEmpty: Bool { words.isEmpty }

    func contains(_ slot: UInt32) -> Bool {
        let word = Int(slot >> 6)
        return word < words.count && words[word] >> UInt64(slot & 63) & 1 == 1
    }
    mutating func insert(_ slot: UInt32) {
        let word = Int(slot >> 6)
        if word >= words.count {
            words += Array(repeating: 0, count: max(word + 1, words.count * 2) - words.count)
        }
        words[word] |= 1 << UInt64(slot & 63)
    }
    /// Those that are not among the others.
    func subtracting(_ others: Self) -> [UInt32] {
        var slots: [UInt32] = []
        for (index, word) in words.enumerated() {
            var rest = word & ~(index < others.words.count ? others.words[index] : 0)
            while rest != 0 {
                slots.append(UInt32(index << 6 | rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return slots
    }
}
