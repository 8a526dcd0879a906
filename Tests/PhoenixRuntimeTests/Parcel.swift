import PhoenixModel
import PhoenixRuntime

/// A message of the tests' own: numbered, of any size, and counted while it lives.
struct Parcel: Message {
    static let kind = MessageKind.metrics
    let sender: Int
    let number: Int
    let byteCount: Int
    private let life: Life?
    var pointCount: Int { 1 }
    init(_ number: Int, from sender: Int = 0, bytes: Int = 1, alive: Alive? = nil) {
        (self.number, self.sender, byteCount) = (number, sender, bytes)
        life = alive.map(Life.init)
    }
    /// How many parcels live: what leaks is still counted at the end.
    final class Alive: Sendable {
        private let number = Lock(0)
        var count: Int { number.withLock { $0 } }
        func add(_ change: Int) { number.withLock { $0 += change } }
    }
    private final class Life: Sendable {
        let alive: Alive
        init(_ alive: Alive) {
            self.alive = alive
            alive.add(1)
        }
        deinit { alive.add(-1) }
    }
}

/// A value that many tasks of a test write.
final class Shared<Value: Sendable>: Sendable {
    private let lock: Lock<Value>
    init(_ value: Value) { lock = Lock(value) }
    var value: Value { lock.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { lock.withLock(body) }
}
extension Shared where Value == Int { func add(_ amount: Int = 1) { change { $0 += amount } } }

/// Lets every other ready job of a world run for a while, in some order.
func settle(_ rounds: Int = 200) async { for _ in 0..<rounds { await Task.yield() } }
