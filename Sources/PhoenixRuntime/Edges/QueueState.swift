import DequeModule
import PhoenixModel

/// The decisions of an inlet's queue: who may place a message, who waits, who is woken.
///
/// No lock, no task, no clock: each function is one event and answers whom to wake.
struct QueueState<Content: Message> {
    struct Entry {
        var message: Content
        var bytes: Int
        /// What a register keeps apart: the source of an observation.
        var key: String
        /// Which message of this queue it is.
        var serial: UInt64
        /// How often a reader has thrown with the message in hand.
        var attempts = 0
    }
    /// Whom to wake once the lock is open again.
    struct Wakeups {
        var readers: [Reader] = []
        var senders: [Sender] = []
        @inline(__always)
        func resume() {
            // Nearly always there is nobody to wake.
            if readers.isEmpty && senders.isEmpty { return }
            for reader in readers { reader.continuation.resume() }
            for sender in senders { sender.waiter.resume(sender.passage) }
        }
    }
    /// A sender to wake, and what it is told. A struct: the metadata of a tuple of generic types is looked up anew
    /// for every message.
    struct Sender {
        let waiter: RoomWaiter<Content>
        let passage: Passage
    }
    struct Reader {
        let ticket: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }
    enum Taken {
        case message(Content)
        case ended
        case empty(ticket: UInt64)
    }

    let limits: QueueLimits
    private(set) var entries = Deque<Entry>()
    private(set) var bytes = 0
    private(set) var inHand: Entry?
    private(set) var sendersAttached = 0
    /// What was taken by readers, and what was given up, by reason.
    private(set) var tally = EdgeTally()

    /// Nothing more comes in, whoever is attached.
    private var isShut = false
    /// The reader is to go and an heir will come: it is told the end, while the queue holds what there is.
    private var isPaused = false
    /// Whether a sender was ever attached: before that the queue waits for its first.
    private var wasAttached = false
    private var line = Deque<RoomWaiter<Content>>()
    /// Who waits for everything to be read.
    private var drainCalls: [@Sendable () -> Void] = []
    private var readers: [Reader] = []
    private var nextTicket: UInt64 = 0
    private var nextSerial: UInt64 = 0
    /// The newest mode: every new reader begins with it.
    private var current: Entry?
    private var alerts: AlertHold

    init(limits: QueueLimits) {
        self.limits = limits
        alerts = AlertHold(period: limits.alertPeriod)
    }

    /// Whether the reader has been told all there will be once the queue is empty.
    var isEnded: Bool { isShut || (wasAttached && sendersAttached == 0) }
    var isDrained: Bool { isEnded && entries.isEmpty && inHand == nil }
    var isReadOut: Bool { isPaused || isDrained }
    private var isRegister: Bool { Content.kind != .metrics }
    private func hasRoom(_ size: Int) -> Bool {
        isRegister || entries.isEmpty || (entries.count < limits.batches && bytes + size <= limits.bytes)
    }

    // MARK: senders

    mutating func attach() { (wasAttached, sendersAttached) = (true, sendersAttached + 1) }

    mutating func detach() -> Wakeups {
        sendersAttached -= 1
        return isEnded ? wakeForEnd() : Wakeups()
    }

    /// Whether a sender that does not wait yet may place a message now.
    func mayPass(_ size: Int) -> Passage? {
        // Who observes or decides is never refused: that its reader has gone is no concern of its own.
        if isShut { return isRegister ? .granted : .ended }
        return line.isEmpty && hasRoom(size) ? .granted : nil
    }

    /// Places a message. The sender has asked `mayPass`, or was granted its place; only then it may overshoot.
    mutating func place(_ message: Content, bytes size: Int) -> Reader? {
        guard !isShut else {
            if isRegister { tally.superseded += 1 } else { tally.drop(message.pointCount, reason: "ended") }
            return nil
        }
        append(message, bytes: size)
        return readers.isEmpty ? nil : readers.removeFirst()
    }

    /// Puts a sender in line, or answers at once where it need not wait: what it saw before may be over. The line
    /// is therefore never left behind an empty queue, whose reader could wake nobody.
    mutating func enqueue(_ waiter: RoomWaiter<Content>) -> (Passage?, Reader?) {
        guard let passage = mayPass(waiter.bytes) else {
            line.append(waiter)
            return (nil, nil)
        }
        guard passage == .granted, let message = waiter.message else { return (passage, nil) }
        return (.delivered, place(message, bytes: waiter.bytes))
    }

    /// Takes the outlet's waiters out of the line, to be told `passage`.
    mutating func recall(_ owner: ObjectIdentifier, _ passage: Passage) -> Wakeups {
        guard line.contains(where: { $0.owner == owner }) else { return Wakeups() }
        var wakeups = Wakeups()
        wakeups.senders = line.filter { $0.owner == owner }.map { Sender(waiter: $0, passage: passage) }
        line.removeAll { $0.owner == owner }
        // Those behind one that left may find room now.
        admit(&wakeups)
        return wakeups
    }

    private mutating func append(_ message: Content, bytes size: Int) {
        nextSerial += 1
        var entry = Entry(message: message, bytes: size, key: "", serial: nextSerial)
        switch Content.kind {
        case .metrics: entries.append(entry)
        case .mode:
            current = entry
            register(entry)
        case .observation:
            if let observation = message as? Observation {
                entry.key = observation.source
                if let held = alerts.hold(observation) as? Content { entry.message = held }
            }
            register(entry)
        }
        bytes += size
    }

    /// The newest takes the place of what its source said before.
    private mutating func register(_ entry: Entry) {
        guard let index = entries.firstIndex(where: { $0.key == entry.key }) else {
            return entries.append(entry)
        }
        bytes -= entries[index].bytes
        entries[index] = entry
        tally.superseded += 1
    }

    /// Lets in those in line, once the queue is half empty: waking for every free place would cost a wake-up for
    /// every message.
    private mutating func admit(_ wakeups: inout Wakeups) {
        guard !line.isEmpty, entries.count <= limits.batches / 2, bytes <= limits.bytes / 2 else { return }
        while let first = line.first, hasRoom(first.bytes) {
            line.removeFirst()
            guard let message = first.message else {
                // A promise takes no room: its holder may wait elsewhere for long, and the rest of the line must not.
                wakeups.senders.append(Sender(waiter: first, passage: .granted))
                continue
            }
            append(message, bytes: first.bytes)
            wakeups.senders.append(Sender(waiter: first, passage: .delivered))
            if !readers.isEmpty { wakeups.readers.append(readers.removeFirst()) }
        }
    }

    // MARK: readers

    /// A run begins to read: it is told the mode that holds.
    mutating func beginReading() {
        guard Content.kind == .mode, let current, current.attempts < Self.maximumAttempts, entries.isEmpty
        else {
            return
        }
        entries.append(current)
        bytes += current.bytes
    }

    /// The reader asks for the next, and so has done with the one in its hand.
    mutating func take() -> (Taken, Wakeups) {
        settle()
        var wakeups = Wakeups()
        if isPaused { return (.ended, wakeups) }
        guard let entry = entries.popFirst() else {
            if isEnded { return (.ended, wakeups) }
            nextTicket += 1
            return (.empty(ticket: nextTicket), wakeups)
        }
        bytes -= entry.bytes
        inHand = entry
        admit(&wakeups)
        return (.message(entry.message), wakeups)
    }

    /// Waits only if there is still nothing to read; answers whether it waits.
    mutating func wait(_ reader: Reader) -> Bool {
        guard entries.isEmpty, !isEnded, !isPaused else { return false }
        readers.append(reader)
        return true
    }

    /// A reader's task was cancelled while it waited.
    mutating func forget(_ ticket: UInt64) -> Reader? {
        guard let index = readers.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return readers.remove(at: index)
    }

    /// A cancelled reader goes without taking; a message it was woken for wakes the next.
    mutating func leave() -> Wakeups {
        settle()
        var wakeups = Wakeups()
        if !entries.isEmpty, !readers.isEmpty { wakeups.readers.append(readers.removeFirst()) }
        return wakeups
    }

    /// The message in hand is booked: it is not given again.
    mutating func settle() {
        guard let entry = inHand else { return }
        tally.batches += 1
        tally.points += entry.message.pointCount
        inHand = nil
    }

    static var maximumAttempts: Int { 2 }

    /// The reader threw with a message in hand: it comes first next time, unless it has been tried often enough.
    mutating func returnInHand() -> Redelivery {
        guard var entry = inHand else { return .nothing }
        inHand = nil
        entry.attempts += 1
        let isHopeless = entry.attempts >= Self.maximumAttempts
        if Content.kind == .mode, current?.serial == entry.serial { current?.attempts = entry.attempts }
        if isHopeless {
            tally.drop(entry.message.pointCount, reason: "set_aside")
            return .setAside
        }
        // A register that has heard newer needs the old no more; a mode is given by `beginReading`.
        if isRegister, Content.kind == .mode || entries.contains(where: { $0.key == entry.key }) {
            return .nothing
        }
        entries.prepend(entry)
        bytes += entry.bytes
        return .returned
    }

    /// Tells the reader the end, so that it can hand over; senders notice nothing.
    mutating func stopReading() -> Wakeups {
        isPaused = true
        return wakeForEnd()
    }
    /// The heir may read.
    mutating func resumeReading() { isPaused = false }

    // MARK: the end

    /// Nothing more comes in; what is here can be read.
    mutating func shut() -> Wakeups {
        isShut = true
        return wakeForEnd()
    }

    /// Arranges for a call once everything has been read; false where it has been already.
    mutating func whenDrained(_ call: @escaping @Sendable () -> Void) -> Bool {
        if isDrained { return false }
        drainCalls.append(call)
        return true
    }
    /// Whom to call, now that a reader has been told the end.
    mutating func takeDrainCalls() -> [@Sendable () -> Void] {
        guard isDrained else { return [] }
        defer { drainCalls = [] }
        return drainCalls
    }

    /// The reader is gone for good: what is here is given up.
    mutating func discard() -> Wakeups {
        let wakeups = shut()
        settle()
        for entry in entries { tally.drop(entry.message.pointCount, reason: "ended") }
        entries.removeAll()
        (bytes, current) = (0, nil)
        return wakeups
    }

    private mutating func wakeForEnd() -> Wakeups {
        var wakeups = Wakeups()
        (wakeups.readers, readers) = (readers, [])
        if isShut {
            wakeups.senders = line.map { Sender(waiter: $0, passage: .ended) }
            line.removeAll()
        }
        return wakeups
    }
}

/// What became of the message that a failed reader had in hand.
public enum Redelivery: Sendable, Equatable {
    /// There was none, or a register has heard newer.
    case nothing
    /// It comes first when the inlet is read again.
    case returned
    /// Its reader threw a second time: it is given up and counted.
    case setAside
}

/// What an end of an edge has seen.
struct EdgeTally: Sendable {
    var batches = 0
    var points = 0
    /// How often a register was overwritten before it was read: by design, and so not a drop.
    var superseded = 0
    /// Points that went no further, by reason.
    var dropped: [String: Int] = [:]
    var nanosecondsBlocked: UInt64 = 0
    /// A message without points counts as one.
    mutating func drop(_ points: Int, reason: String) { dropped[reason, default: 0] += max(1, points) }
}
