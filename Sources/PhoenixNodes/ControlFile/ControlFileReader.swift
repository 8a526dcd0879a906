import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// Sees a control file change: tells each new state once, and each broken one once.
struct ControlFileReader {
    enum News: Equatable {
        case none
        case contents(ControlFile)
        /// There is no file, or no longer.
        case missing
        /// What is wrong, with line and column where there are any. `version` is what the file seems to have.
        case broken(String, version: UInt64)
    }
    let store: ControlFileStore
    private var read: ControlFileStore.Signature?
    private var pending: ControlFileStore.Signature?
    private var isMissing = false
    private var hasLooked = false

    init(_ store: ControlFileStore) { self.store = store }

    /// Looks at the file. Without the word that a writer has closed it, a changed file is read at the second look that
    /// finds it as it is: somebody may be half-way through it.
    mutating func look(isWhole: Bool) -> News {
        let signature = store.signature
        defer { hasLooked = true }
        guard let signature else {
            pending = nil
            defer { (isMissing, read) = (true, nil) }
            return isMissing ? .none : .missing
        }
        isMissing = false
        guard signature != read else { return .none }
        guard isWhole || !hasLooked || signature == pending else {
            pending = signature
            return .none
        }
        (read, pending) = (signature, nil)
        return contents()
    }

    /// The file now, whether it was seen before or not.
    func contents() -> News {
        let text: String
        do { text = try store.read() } catch { return .broken("\(store.path): \(error)", version: 0) }
        do { return .contents(try ControlFile(text, file: store.path)) } catch {
            return .broken("\(error)", version: ControlFile.version(inBroken: text))
        }
    }
    /// Takes the state of the file as read: the writer wrote it itself.
    mutating func noteOwnWrite() { (read, pending, isMissing) = (store.signature, nil, false) }
}
