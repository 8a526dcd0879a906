import PhoenixGraph
import Testing

@Suite struct FieldValueTests {
    static let mark = Mark(file: "f", line: 1, column: 1)

    static func decode<Value: FieldValue>(_ text: String, as type: Value.Type) -> Value? {
        var report = Report()
        let value = Value.decode(ConfigTree(.scalar(text, isPlain: true), at: mark), &report)
        #expect((value == nil) == !report.diagnostics.isEmpty)
        return value
    }

    @Test(arguments: [
        ("15s", 15_000, "15s"), ("1h30m", 5_400_000, "1h30m"), ("500ms", 500, "500ms"), ("0", 0, "0"),
        ("1.5s", 1_500, "1s500ms"), ("2d", 172_800_000, "2d"), ("90m", 5_400_000, "1h30m"),
    ])
    func durations(text: String, milliseconds: Int, written: String) {
        let value = Self.decode(text, as: Duration.self)
        #expect(value == .milliseconds(milliseconds))
        #expect(value?.text == written)
        #expect(Self.decode(written, as: Duration.self) == value)
    }

    @Test(arguments: ["", "15", "s", "-1s", "1 s", "1x", "1..5s", "99999999999999999999s", "40000d"])
    func noDurations(text: String) {
        #expect(Self.decode(text, as: Duration.self) == nil)
    }

    @Test(arguments: [
        ("64MiB", 64 << 20, "64MiB"), ("4KB", 4000, "4KB"), ("4096", 4096, "4KiB"), ("0", 0, "0"),
        ("7", 7, "7"),
    ])
    func byteCounts(text: String, bytes: Int, written: String) {
        #expect(Self.decode(text, as: ByteCount.self)?.bytes == bytes)
        #expect(ByteCount(bytes).text == written)
    }

    @Test func wrongScalars() {
        #expect(Self.decode("9999999TiB", as: ByteCount.self) == nil)
        #expect(Self.decode("1.5", as: Int.self) == nil)
        #expect(Self.decode("nan", as: Double.self) == nil)
        #expect(Self.decode("inf", as: Double.self) == nil)
        #expect(Self.decode("yes", as: Bool.self) == nil)
        #expect(Self.decode("a", as: [String].self) == nil)
        #expect(Self.decode("a", as: [String: Int].self) == nil)
    }

    private static func remedy<Value: FieldValue>(_ text: String, as type: Value.Type) -> String? {
        var report = Report()
        _ = Value.decode(ConfigTree(.scalar(text, isPlain: true), at: mark), &report)
        return report.diagnostics.first?.remedy
    }

    @Test func remediesAreOfTheMistake() {
        for text in ["99999999999999999999", "-99_999_999_999_999_999_999"] {
            #expect(Self.remedy(text, as: Int.self)?.hasPrefix("that is beyond 64 bits") == true)
        }
        for text in ["many", "1.5", "_1", "-", ""] {
            #expect(Self.remedy(text, as: Int.self)?.hasPrefix("write digits only") == true)
        }
        for text in ["9999999TiB", "99999999999999999999"] {
            #expect(Self.remedy(text, as: ByteCount.self)?.hasPrefix("that is beyond 64 bits") == true)
        }
        for text in ["1XB", "-1", "MiB"] {
            #expect(Self.remedy(text, as: ByteCount.self)?.hasPrefix("write it like") == true)
        }
        #expect(Self.remedy("7", as: [String].self) == "write `[7]`")
        let rules = Self.remedy("7", as: [SplitConfig.Rule].self)
        #expect(rules == "write the settings of each behind `-`, or between brackets: `[{when: …}]`")
    }

    @Test func addresses() {
        #expect(Self.decode("[::1]:80", as: ListenAddress.self) == .tcp(host: "::1", port: 80))
        #expect(Self.decode("localhost:0", as: ListenAddress.self) == .tcp(host: "localhost", port: 0))
        #expect(Self.decode("unix:/run/x", as: ListenAddress.self) == .unix(path: "/run/x"))
        for text in ["4317", ":4317", "::1:80", "a:65536", "a:-1", "unix:x", "a b:1", "a:+1"] {
            #expect(Self.decode(text, as: ListenAddress.self) == nil, "\(text)")
        }
        #expect(ListenAddress.tcp(host: "::1", port: 80).text == "[::1]:80")
    }

    @Test func secretsDoNotShow() {
        let secret = Secret("geheim")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(
            "\(secret) \(String(reflecting: secret)) \(secret.text) \(dumped)".contains("geheim") == false
        )
        #expect(secret.value == "geheim")
    }

    @Test func oneOrMany() {
        #expect(Self.decode("a", as: OneOrMany<String>.self)?.values == ["a"])
        var report = Report()
        let list = ConfigTree(.list([ConfigTree(.scalar("b", isPlain: true), at: Self.mark)]), at: Self.mark)
        #expect(OneOrMany<String>.decode(list, &report)?.values == ["b"])
    }
}
