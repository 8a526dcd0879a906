/// A file that says how great a share is, looked at now and then.
struct FlagFile {
    enum News: Equatable {
        case unchanged
        case share(Double)
        /// There is none any more.
        case gone
        /// What is wrong with it.
        case broken(String)
    }
    private let store: ControlFileStore
    private var seen: ControlFileStore.Signature?
    private var read: ControlFileStore.Signature?
    private var hasLooked = false
    /// What the file said when it was last right; nil while there is none.
    private(set) var share: Double?

    init(_ path: String) { store = ControlFileStore(path: path) }

    /// Looks at the file. One that changed is read at the second look that finds it as it is: somebody may be half-way
    /// through it.
    mutating func look() -> News {
        let signature = store.signature
        defer { (seen, hasLooked) = (signature, true) }
        guard let signature else {
            read = nil
            guard share != nil else { return .unchanged }
            share = nil
            return .gone
        }
        guard signature != read, signature == seen || !hasLooked else { return .unchanged }
        read = signature
        let text: String
        do { text = try store.read() } catch { return .broken("\(store.path): \(error)") }
        guard let share = Self.share(in: text) else {
            return .broken(
                "\(store.path): it says no share; write one line such as `0.25`, `25%`, `on` or `off`"
            )
        }
        guard share != self.share else { return .unchanged }
        self.share = share
        return .share(share)
    }

    /// The share that a text says on its only line that is no comment; nil where it says none.
    static func share(in text: String) -> Double? {
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.prefix { $0 != "#" }.filter { !$0.isWhitespace } }
            .filter { !$0.isEmpty }
        guard lines.count == 1, let word = lines.first?.lowercased() else { return nil }
        if ["on", "true"].contains(word) { return 1 }
        if ["off", "false"].contains(word) { return 0 }
        let isPercent = word.hasSuffix("%")
        guard let number = Double(isPercent ? String(word.dropLast()) : word) else { return nil }
        let share = isPercent ? number / 100 : number
        return (0...1).contains(share) ? share : nil
    }
}
