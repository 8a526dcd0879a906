import PhoenixGraph
import Testing

/// Whatever the bytes: a graph, or a diagnostic with a place inside the file; never a trap.
@Suite struct GraphLoaderMutationTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func mutationsGiveGraphOrPlace(seed: UInt64) {
        var random = SplitMix(state: seed)
        let original = Array(goodGraph.utf8)
        let bytes = Array(" \n\t:-[]{},&*#?|>%@`\"'!$~<=.0aZ_\\".utf8) + [0, 7, 0x80, 0xc3, 0xe2, 0xff]
        for round in 0..<2_500 {
            var text = original
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text[place] = bytes.randomElement(using: &random) ?? 0
                case 1: text.insert(bytes.randomElement(using: &random) ?? 0, at: place)
                case 2: text.remove(at: place)
                default:
                    let end = min(text.count, place + Int.random(in: 1..<30, using: &random))
                    let copy = Array(text[place..<end])
                    text.insert(contentsOf: copy, at: Int.random(in: 0..<text.count, using: &random))
                }
            }
            let mutated = text
            let loader = GraphLoader(SmallCatalog.specs) { path in
                guard path == "graph.yaml" else { throw UnreadableFile("there is no such file") }
                return mutated
            }
            do throws(GraphRefusal) {
                let loaded = try loader.load(path: "graph.yaml")
                #expect(
                    !loaded.graph.vertices.isEmpty || loaded.graph.links.isEmpty,
                    "seed \(seed), round \(round)"
                )
            } catch {
                #expect(!error.diagnostics.isEmpty, "seed \(seed), round \(round)")
                let lines = String(decoding: text, as: UTF8.self)
                    .split(omittingEmptySubsequences: false) { $0.isNewline }
                for diagnostic in error.diagnostics {
                    let mark = diagnostic.mark
                    let isInside =
                        mark.file == "graph.yaml" && (1...lines.count).contains(mark.line) && mark.column >= 1
                        && mark.column <= lines[mark.line - 1].unicodeScalars.count + 1
                    #expect(isInside, "seed \(seed), round \(round): \(diagnostic)")
                }
            }
        }
    }
}

/// A seeded generator (Steele, Lea, Flood: SplitMix64).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
