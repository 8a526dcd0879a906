import PhoenixModel
import Testing

/// Sums that may fall against the oracle, over random histories: what lives now, however members come, end, fall silent, begin
/// anew, amend or repeat what they said, whatever their clocks say, and wherever the mapping sends them.
@Suite struct LevelPropertyTests {
    @Test func levelsAreTheSumOfWhatLives() async {
        await Histories.each { seed in
            var history = LevelHistory(seed: seed)
            history.run(steps: 6 + Int(seed % 30))
            let complaints = history.complaints
            #expect(complaints.isEmpty, "seed \(seed): \(complaints.prefix(3))")
        }
    }
}
