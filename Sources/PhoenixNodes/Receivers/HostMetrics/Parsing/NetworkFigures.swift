/// A line of `/proc/net/dev`: what an interface received and sent.
struct NetworkFigures: Sendable, Equatable {
    /// What was done in one direction.
    struct Traffic: Sendable, Equatable {
        var bytes: UInt64
        var packets: UInt64
        var errors: UInt64
        var dropped: UInt64
    }
    var interface: String
    var received: Traffic
    var sent: Traffic

    /// The interfaces of a file; the two lines of its head are none.
    static func all(_ text: KernelText) -> [NetworkFigures] {
        text.lines.compactMap(NetworkFigures.init(line:))
    }

    private init?(line: KernelText) {
        // Old aliases have a colon in their names; the numbers have none.
        guard let colon = line.bytes.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = KernelText(line.bytes[..<colon]).words
        let numbers = KernelText(line.bytes[(colon + 1)...]).words.map(\.number)
        guard name.count == 1, numbers.count >= 12, !numbers.contains(nil) else { return nil }
        let values = numbers.compactMap { $0 }
        func traffic(_ first: Int) -> Traffic {
            Traffic(
                bytes: values[first],
                packets: values[first + 1],
                errors: values[first + 2],
                dropped: values[first + 3]
            )
        }
        (interface, received, sent) = (name[0].string, traffic(0), traffic(8))
    }
}
