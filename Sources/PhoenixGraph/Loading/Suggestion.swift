/// "Did you mean": the nearest known name to a wrong one.
public enum Suggestion {
    /// The nearest of `names`, when it is near enough that a slip of the hand explains it.
    public static func nearest(to word: String, among names: some Sequence<String>) -> String? {
        let plain = folded(word)
        guard plain.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        for name in names {
            let distance = distance(plain, folded(name))
            let allowed = max(1, min(plain.count, name.count) / 3)
            if distance <= allowed, best.map({ (distance, name) < ($0.distance, $0.name) }) ?? true {
                best = (name, distance)
            }
        }
        return best?.name
    }

    /// What to tell someone who wrote `word` where one of `names` was expected.
    public static func remedy(
        for word: String,
        among names: some Sequence<String>,
        none: String = "leave it out"
    ) -> String {
        if let name = nearest(to: word, among: names) { return "did you mean `\(name)`?" }
        let known = Set(names).sorted()
        guard !known.isEmpty else { return none }
        let shown = known.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
        return "known: \(shown)\(known.count > 20 ? " and \(known.count - 20) more" : "")"
    }

    /// Letter case and the choice of hyphen or underscore are no difference worth a distance.
    private static func folded(_ word: String) -> [UInt8] {
        word.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// The optimal string alignment distance: insert, delete, replace, or swap two neighbours.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var before = [Int]()
        var last = Array(0...right.count)
        for i in 1...left.count {
            var row = [i]
            for j in 1...right.count {
                let change = left[i - 1] == right[j - 1] ? 0 : 1
                var cost = min(row[j - 1] + 1, last[j] + 1, last[j - 1] + change)
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    cost = min(cost, before[j - 2] + 1)
                }
                row.append(cost)
            }
            (before, last) = (last, row)
        }
        return last[right.count]
    }
}
