import Foundation

/// Runs mutated requests through decoder and judge, and keeps where they disagree.
///
/// One decoder for all of them, with small caches and a table whose series retire, so that what one request leaves
/// behind can harm the next.
struct MutationRun {
    let seed: UInt64
    private(set) var rounds = 0
    private(set) var malformed = 0
    private(set) var points = 0
    private(set) var refused = 0
    private(set) var failures: [String] = []
    private var corpus: RequestCorpus
    private var scrambler: Scrambler
    private var mutator: Mutator
    private var random: Seeded
    private var pool: [[UInt8]] = []
    private let observed = Observed(capacity: 1 << 16, idleSeconds: 10, maximumCacheBytes: 1 << 18)

    init(seed: UInt64) {
        self.seed = seed
        random = Seeded(seed)
        corpus = RequestCorpus(random: Seeded(random.next()))
        scrambler = Scrambler(random: Seeded(random.next()))
        mutator = Mutator(random: Seeded(random.next()))
    }
    /// How many resource blocks the decoder knew by a template.
    var recognised: Int { observed.recognised }
    var summary: String { "\(rounds) rounds, \(malformed) malformed, \(points) points, \(refused) refused" }

    mutating func run(rounds count: Int) {
        for _ in 0..<count where failures.count < 3 {
            let body = next()
            let (expected, found) = (Judge.verdict(of: body), observed.verdict(of: body))
            rounds += 1
            malformed += expected.isMalformed ? 1 : 0
            points += expected.points
            refused += expected.refused.values.reduce(0, +)
            if expected != found { fail(body, expected.difference(from: found)) }
            if rounds % 256 == 0 { observed.table.advance(to: UInt32(rounds / 256)) }
        }
    }
    /// A fresh request now and then; between, the pool's scrambled and broken anew.
    private mutating func next() -> [UInt8] {
        if pool.count < 64 || random.once(in: 16) {
            guard let fresh: [UInt8] = try? corpus.request().serializedBytes() else { return [] }
            if pool.count < 64 { pool.append(fresh) } else { pool[random.below(pool.count)] = fresh }
        }
        let body = random.pick(pool)
        switch random.below(8) {
        case 0: return body
        case 1: return mutator.advance(body)
        case 2, 3: return scrambler.scramble(body)
        case 4, 5: return mutator.mutate(scrambler.scramble(body), others: random.pick(pool))
        default: return mutator.mutate(body, others: random.pick(pool))
        }
    }
    private mutating func fail(_ body: [UInt8], _ difference: String) {
        let hex = body.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
        failures.append("seed \(seed), round \(rounds): judge and decoder differ in \(difference)\n\(hex)")
    }
}
