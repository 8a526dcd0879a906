import Foundation

/// Puts the expositions that tests read into the directory that `PHOENIX_EXPOSITIONS` names, for parsers of others to judge
/// (`Tests/Peers/test_expositions.py`). Without it nothing is kept.
enum KeptExpositions {
    private static let directory = ProcessInfo.processInfo.environment["PHOENIX_EXPOSITIONS"]

    /// What reads the same is kept once.
    static func keep(_ bytes: [UInt8], _ format: String) {
        guard let directory else { return }
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let file = "\(directory)/\(String(hash, radix: 16)).\(format)"
        if !FileManager.default.createFile(atPath: file, contents: Data(bytes)) {
            print("cannot write \(file)")
        }
    }
}
