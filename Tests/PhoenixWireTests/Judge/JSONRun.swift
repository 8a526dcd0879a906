import Foundation
import SwiftProtobuf

@testable import PhoenixWire

/// Runs requests through OTLP/JSON: the same points as by protobuf; and breaks their text.
///
/// swift-protobuf writes the text, without ids, which it would write in base64. Whether a broken text is JSON at all says
/// Foundation, whose parser shares nothing with the decoder's.
struct JSONRun {
    let seed: UInt64
    private(set) var rounds = 0
    private(set) var points = 0
    private(set) var malformed = 0
    private(set) var notJSON = 0
    private(set) var failures: [String] = []
    private var corpus: RequestCorpus
    private var random: Seeded
    private let observed = Observed(capacity: 1 << 16, idleSeconds: 10, maximumCacheBytes: 1 << 18)

    init(seed: UInt64) {
        self.seed = seed
        random = Seeded(seed)
        corpus = RequestCorpus(random: Seeded(random.next()), hasIDs: false)
    }
    var summary: String {
        "\(rounds) rounds, \(points) points, \(malformed) malformed, of these \(notJSON) not JSON"
    }

    mutating func run(rounds count: Int) {
        var options = JSONEncodingOptions()
        options.alwaysPrintEnumsAsInts = true
        while rounds < count, failures.count < 3 {
            let request = corpus.request()
            guard let text: [UInt8] = try? request.jsonUTF8Bytes(options: options)
            else { return failures.append("swift-protobuf cannot write a request") }
            let (expected, found) = (Judge.verdict(of: request), observed.verdict(ofJSON: text))
            if expected != found { fail(text, expected.difference(from: found)) }
            points += expected.points
            rounds += 1
            for _ in 0..<7 where rounds < count { tryBroken(text) }
            observed.table.advance(to: UInt32(rounds / 256))
        }
    }
    private mutating func tryBroken(_ text: [UInt8]) {
        rounds += 1
        let text = broken(text)
        let isRefused = observed.verdict(ofJSON: text).isMalformed
        malformed += isRefused ? 1 : 0
        let isScanned = text.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            return (try? scanner.scan()) != nil
        }
        let isJSON =
            (try? JSONSerialization.jsonObject(with: Data(text), options: [.fragmentsAllowed])) != nil
        notJSON += isJSON ? 0 : 1
        if !isScanned, !isRefused { fail(text, "what is not JSON was taken") }
        if isScanned != isJSON, !Self.isDisputed(text) {
            fail(text, "JSON: \(isJSON) by Foundation, \(isScanned) by the scanner")
        }
    }
    /// Where Foundation is no judge: it guesses encodings from zero bytes and marks, forgives a comma at the end of an
    /// object or array, and refuses numbers beyond a double, which are JSON all the same.
    private static func isDisputed(_ text: [UInt8]) -> Bool {
        let dense = text.filter { !JSONValue.isSpace($0) }
        let hasLongExponent = dense.indices.contains { start in
            guard dense[start] | 0x20 == 0x65 else { return false }
            return dense[(start + 1)...].drop { $0 == 0x2B || $0 == 0x2D }.prefix { 0x30...0x39 ~= $0 }.count
                > 2
        }
        let hasLastComma = zip(dense, dense.dropFirst()).contains { $0 == 0x2C && ($1 == 0x5D || $1 == 0x7D) }
        return hasLastComma || hasLongExponent || text.contains(0) || text.starts(with: [0xEF, 0xBB, 0xBF])
            || text.starts(with: [0xFE, 0xFF])
            || text.starts(with: [0xFF, 0xFE])
    }
    private mutating func broken(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<1 + random.below(3) {
            guard !text.isEmpty else { return text }
            let place = random.below(text.count)
            switch random.below(7) {
            case 0: text[place] = random.pick(Array("{}[]\",:0129-+.eEntfu\\/ \n".utf8))
            case 1: text[place] = UInt8(truncatingIfNeeded: random.next())
            case 2: text.remove(at: place)
            case 3: text.insert(random.pick(Array("{}[]\",:0129-+.eEntfu\\/ \n".utf8)), at: place)
            case 4: text.removeSubrange(place..<min(text.count, place + 1 + random.below(8)))
            case 5:
                let more = random.pick(Self.pieces)
                text.insert(contentsOf: more, at: place)
            default: text.removeSubrange(place...)
            }
        }
        return text
    }
    private static let pieces = [
        "null", "true", "\"NaN\"", "1e400", "\\ud83d\\ude42", "\\ud83d", "\\u00e9", "[[[[", "{\"a\":",
        "\"timeUnixNano\":null,",
        "-0", "1.0", "12345678901234567890123", "é", "//", "\u{FEFF}",
    ].map { Array($0.utf8) }

    private mutating func fail(_ text: [UInt8], _ difference: String) {
        failures.append(
            "seed \(seed), round \(rounds): \(difference)\n\(String(decoding: text, as: UTF8.self))"
        )
    }
}
