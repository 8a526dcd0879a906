import Foundation
import PhoenixModel

/// Writes a point as one line, the same from whatever source: two points are equal where their lines are.
///
/// Strings are written by their bytes, numbers by their bits, so that nothing is equal by kindness.
struct PointText {
    private(set) var line: [UInt8] = []

    mutating func text(_ text: String) {
        line.append(UInt8(ascii: "'"))
        line += text.utf8
        line.append(UInt8(ascii: "'"))
    }
    mutating func mark(_ text: StaticString) { text.withUTF8Buffer { line += $0 } }
    mutating func number(_ value: UInt64) {
        line.append(UInt8(ascii: " "))
        var (rest, digits) = (value, [UInt8]())
        repeat {
            digits.append(UInt8(rest % 10) + 0x30)
            rest /= 10
        } while rest > 0
        line += digits.reversed()
    }
    mutating func number(_ value: Double) { number(value.bitPattern) }
    mutating func number(_ value: Int64) { number(UInt64(bitPattern: value)) }
    mutating func bytes(_ content: some Collection<UInt8>) {
        mark(" x")
        number(UInt64(content.count))
        for byte in content { number(UInt64(byte)) }
    }
    /// Attributes whose values somebody else writes: sorted, of equal keys the last.
    mutating func attributes<Value>(_ pairs: [(String, Value)], _ write: (inout Self, Value) -> Void) {
        var last: [[UInt8]: Value] = [:]
        for (key, value) in pairs { last[Array(key.utf8)] = value }
        mark("{")
        for key in last.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            line += key
            mark("=")
            if let value = last[key] { write(&self, value) }
            mark(",")
        }
        mark("}")
    }
}

/// The points of a request as lines, kind by kind in their order, and how many were refused for each reason.
struct Verdict: Equatable {
    var isMalformed = false
    var numbers: [[UInt8]] = []
    var histograms: [[UInt8]] = []
    var exponentials: [[UInt8]] = []
    var summaries: [[UInt8]] = []
    var exemplars: [[UInt8]] = []
    /// By label.
    var refused: [String: Int] = [:]

    static let malformed = Self(isMalformed: true)
    var points: Int { numbers.count + histograms.count + exponentials.count + summaries.count }
    /// Both sides where they differ, for a human.
    func difference(from other: Self) -> String {
        if isMalformed != other.isMalformed {
            return "malformed: \(isMalformed) against \(other.isMalformed)"
        }
        if refused != other.refused { return "refused: \(refused) against \(other.refused)" }
        for (mine, theirs) in [
            (numbers, other.numbers), (histograms, other.histograms), (exponentials, other.exponentials),
            (summaries, other.summaries), (exemplars, other.exemplars),
        ] where mine != theirs {
            let place = zip(mine, theirs).firstIndexOf { $0 != $1 } ?? min(mine.count, theirs.count)
            func show(_ lines: [[UInt8]]) -> String {
                place < lines.count ? String(decoding: lines[place], as: UTF8.self) : "nothing"
            }
            return "point \(place): \(show(mine))\nagainst \(show(theirs))"
        }
        return "no difference"
    }
}
extension Sequence {
    fileprivate func firstIndexOf(_ isMatch: (Element) -> Bool) -> Int? {
        enumerated().first { isMatch($0.element) }?.offset
    }
}
