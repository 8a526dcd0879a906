import Testing

@testable import PhoenixWire

@Suite struct NumberTextTests {
    /// As Go's strconv.FormatFloat(x, 'g', -1, 64) writes them.
    @Test(
        arguments: [
            (0, "0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (0.5, "0.5"), (12.34, "12.34"), (100_000, "100000"),
            (999_999, "999999"), (1e6, "1e+06"), (1_234_567, "1.234567e+06"), (123_456.789, "123456.789"),
            (0.0001, "0.0001"), (0.00001, "1e-05"), (0.00012345, "0.00012345"), (1e21, "1e+21"),
            (1e100, "1e+100"),
            (-2.5e-7, "-2.5e-07"), (3.141592653589793, "3.141592653589793"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (.nan, "NaN"), (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (0.30000000000000004, "0.30000000000000004"), (1e15, "1e+15"),
            (123_456_789_012_345_680, "1.2345678901234568e+17"),
            (1_000_000.5, "1.0000005e+06"), (0.001, "0.001"), (1.005, "1.005"),
        ] as [(Double, String)]
    )
    func likeGo(_ number: Double, _ expected: String) {
        #expect(NumberText.string(number, needsPoint: false) == expected)
    }
    @Test func floatsOfOpenMetrics() {
        #expect(NumberText.string(1, needsPoint: true) == "1.0")
        #expect(NumberText.string(0, needsPoint: true) == "0.0")
        #expect(NumberText.string(1e6, needsPoint: true) == "1e+06")
        #expect(NumberText.string(2.5, needsPoint: true) == "2.5")
    }
    @Test func randomDoublesReadBackAndAreShortest() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bits = generator.next()
            for number in [
                Double(bitPattern: bits), Double(bits % 10_000_000) / 1000,
                Double(Int32(truncatingIfNeeded: bits)) / 64,
            ] where number.isFinite {
                let text = NumberText.string(number, needsPoint: false)
                #expect(Double(text) == number, "\(number.bitPattern)")
                let digits = text.prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }
                let shortest = number.description.prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }
                func trimmed(_ text: Substring) -> String {
                    var text = text
                    while text.last == "0" { text.removeLast() }
                    return String(text)
                }
                #expect(trimmed(Substring(digits)) == trimmed(Substring(shortest)))
            }
        }
    }
    @Test func integers() {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { buffer in
            for number in [0, 9, 10, 99, 100, Int64.max, Int64.min, -1, 9_007_199_254_740_993] {
                let count = NumberText.write(number, to: buffer.baseAddress!)
                #expect(String(decoding: buffer[..<count], as: UTF8.self) == String(number))
            }
            let count = NumberText.write(UInt64.max, to: buffer.baseAddress!)
            #expect(String(decoding: buffer[..<count], as: UTF8.self) == String(UInt64.max))
        }
    }
}
