/// Short numbers for attribute keys, since a few hundred keys name millions of attributes.
///
/// One for the process, so that encoded sets compare across tables. It only grows, up to a bound: senders choose the
/// keys, and past the bound a key is simply written out in full.
final class KeySymbols: Sendable {
    static let shared = KeySymbols()
    private static let maximum = 1 << 14
    private static let maximumKeyBytes = 256
    private struct State {
        /// By their bytes: Swift's strings are equal where only their composition differs, OpenTelemetry's keys are not.
        var symbols: [[UInt8]: UInt32] = [:]
        var keys: [String] = [""]
    }
    private let state = Lock(State())

    /// The symbol of a key; 0 for one that has none.
    func symbol(of key: String) -> UInt32 {
        let bytes = Array(key.utf8)
        return state.withLock { state in
            if let symbol = state.symbols[bytes] { return symbol }
            guard state.keys.count < Self.maximum, bytes.count <= Self.maximumKeyBytes else { return 0 }
            let symbol = UInt32(state.keys.count)
            state.keys.append(key)
            state.symbols[bytes] = symbol
            return symbol
        }
    }
    func key(_ symbol: UInt32) -> String { state.withLock { $0.keys[Int(symbol)] } }
}
