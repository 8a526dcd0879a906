/// An amount of memory or of data, in bytes: `64MiB`, `4KB`, or a plain number of bytes.
public struct ByteCount: FieldValue, Hashable, Comparable, ExpressibleByIntegerLiteral {
    public var bytes: Int
    public init(_ bytes: Int) { self.bytes = bytes }
    public init(integerLiteral bytes: Int) { self.bytes = bytes }
    public static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

    /// `count` times 1024 bytes.
    public static func kibibytes(_ count: Int) -> Self { .init(count << 10) }
    /// `count` times 1024² bytes.
    public static func mebibytes(_ count: Int) -> Self { .init(count << 20) }
    /// `count` times 1024³ bytes.
    public static func gibibytes(_ count: Int) -> Self { .init(count << 30) }

    public static var shape: Shape { .string(format: "bytes") }

    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("kB", 1_000),
        ("B", 1), ("", 1),
    ]

    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let text = tree.scalar(expected: "a number of bytes", example: "64MiB", &report) else {
            return nil
        }
        let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "_" }
        let unit = String(text.dropFirst(digits.count).drop { $0 == " " })
        let scale = units.first { $0.name == unit }?.bytes
        if let scale, let number = Int(digits.filter { $0 != "_" }) {
            let (bytes, overflow) = number.multipliedReportingOverflow(by: scale)
            if !overflow { return Self(bytes) }
        }
        let isTooLarge = scale != nil && digits.isWholeNumber
        report.add(
            at: tree.mark,
            "expected a number of bytes, found \(tree.found)",
            mend: isTooLarge
                ? "that is beyond 64 bits: write less, like `64MiB`, `4KB` or `4096`"
                : "write it like `64MiB`, `4KB` or `4096`"
        )
        return nil
    }

    public var text: String {
        guard let unit = Self.units.first(where: { bytes >= $0.bytes && bytes % $0.bytes == 0 }), bytes > 0
        else {
            return "\(bytes)"
        }
        return "\(bytes / unit.bytes)\(unit.name == "B" ? "" : unit.name)"
    }
}
