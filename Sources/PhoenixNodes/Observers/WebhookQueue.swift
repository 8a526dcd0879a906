import PhoenixRuntime

/// What is to be posted to a webhook, and when: a bounded queue, retries with doubled delays, and a circuit breaker.
///
/// Events in, steps out; it knows neither sockets nor tasks.
struct WebhookQueue {
    struct Rules: Sendable, Equatable {
        var maximumWaiting = 64
        var attempts = 5
        var firstDelay = Duration.seconds(1)
        var longestDelay = Duration.seconds(60)
        /// After so many failures in a row nothing is tried ...
        var breakAfter = 5
        /// ... for so long; then one try decides.
        var breakFor = Duration.seconds(30)
    }
    /// What came of a post.
    enum Outcome: Sendable, Equatable {
        case delivered
        /// It may work another time: no answer, 408, 429, 5xx.
        case failed
        /// It never will: any other status.
        case refused
    }
    enum Step: Sendable, Equatable {
        case post([UInt8])
        case wait(Duration)
        /// Nothing waits.
        case rest
    }
    /// Why something was given up.
    enum Loss: String, Sendable, CaseIterable {
        case overflow
        case refused
        case gaveUp = "gave_up"
    }
    private enum Breaker {
        case closed(failures: Int)
        case open(until: Duration)
        /// One try is under way.
        case probing
    }
    private struct Item {
        var body: [UInt8]
        var attempts = 0
        var notBefore = Duration.zero
    }
    private let rules: Rules
    private var waiting: [Item] = []
    private var breaker = Breaker.closed(failures: 0)
    private var random: SeededGenerator
    private(set) var losses: [Loss: Int] = [:]
    private(set) var delivered = 0

    init(_ rules: Rules, seed: UInt64) { (self.rules, random) = (rules, SeededGenerator(seed: seed)) }

    var count: Int { waiting.count }
    var isBroken: Bool { if case .closed = breaker { false } else { true } }

    /// Takes in a body; the oldest goes where there are too many.
    mutating func add(_ body: [UInt8]) {
        if waiting.count >= rules.maximumWaiting {
            waiting.removeFirst()
            losses[.overflow, default: 0] += 1
        }
        waiting.append(Item(body: body))
    }

    /// What to do now. After `post` tells `finish` what came of it, before this is asked again.
    mutating func next(at now: Duration) -> Step {
        guard let first = waiting.first else { return .rest }
        if case .open(let until) = breaker {
            guard now >= until else { return .wait(until - now) }
            breaker = .probing
        }
        return now >= first.notBefore ? .post(first.body) : .wait(first.notBefore - now)
    }

    /// The post of `body` ended.
    mutating func finish(_ body: [UInt8], _ outcome: Outcome, at now: Duration) {
        // It may have gone meanwhile, for want of room.
        let isFirst = waiting.first?.body == body
        switch outcome {
        case .delivered:
            breaker = .closed(failures: 0)
            delivered += 1
            if isFirst { waiting.removeFirst() }
        case .refused:
            // Somebody is there and answers.
            breaker = .closed(failures: 0)
            losses[.refused, default: 0] += 1
            if isFirst { waiting.removeFirst() }
        case .failed:
            fail(at: now)
            if isFirst { retry(at: now) }
        }
    }
    private mutating func fail(at now: Duration) {
        guard case .closed(let failures) = breaker, failures + 1 < rules.breakAfter else {
            breaker = .open(until: now + rules.breakFor)
            return
        }
        breaker = .closed(failures: failures + 1)
    }
    private mutating func retry(at now: Duration) {
        waiting[0].attempts += 1
        guard waiting[0].attempts < rules.attempts else {
            losses[.gaveUp, default: 0] += 1
            waiting.removeFirst()
            return
        }
        let doubled = rules.firstDelay * (1 << min(waiting[0].attempts - 1, 16))
        // Between a half and the whole, so that many that failed together do not come back together.
        waiting[0].notBefore =
            now + min(doubled, rules.longestDelay) * Double.random(in: 0.5...1, using: &random)
    }
}
