import PhoenixModel

/// What the clocks of a history's senders show, each for its whole life.
enum Clocks: CaseIterable, Sendable {
    /// Some an hour more than ours.
    case ahead
    /// Some less than ours, by seconds or an hour: what they tell of their start is before they began.
    case behind
    /// Each another time than ours, by up to ten minutes: longer than histories remember anything.
    case apart
    /// All the same as ours.
    case right

    /// Those of the history of that seed: a quarter each.
    init(seed: UInt64) { self = Self.allCases[Int(seed % 4)] }

    /// How far the clock of another sender is ahead of ours, in nanoseconds.
    func lead(_ random: inout TestRandom) -> Int64 {
        let second: Int64 = 1_000_000_000
        switch self {
        case .ahead: return Int.random(in: 0..<5, using: &random) == 0 ? 3600 * second : 0
        case .behind: return -[0, 1, 20, 100, 3600].randomElement(using: &random)! * second
        case .apart: return .random(in: -600 * second...600 * second, using: &random)
        case .right: return 0
        }
    }
}
