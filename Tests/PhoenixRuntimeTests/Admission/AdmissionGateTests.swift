import Testing

@testable import PhoenixRuntime

@Suite("The gate refuses before memory runs out")
struct AdmissionGateTests {
    @Test func `above the soft limit only what matters, above the hard one only what is critical`() {
        let gate = AdmissionGate(.init(softBytes: 100, hardBytes: 200, retryAfter: .seconds(3)))
        let account = gate.account("requests")
        func admitted(_ bytes: Int) -> [AdmissionGate.Priority] {
            AdmissionGate.Priority.allCases.filter { gate.admit(bytes: bytes, priority: $0) == .admit }
        }
        #expect(admitted(100) == [.low, .normal, .high, .critical])
        #expect(admitted(101) == [.high, .critical])
        account.add(150)
        #expect(admitted(1) == [.high, .critical])
        #expect(admitted(51) == [.critical])
        #expect(gate.admit(bytes: 51) == .refuse(retryAfter: .seconds(3)))
        account.subtract(150)
        #expect(gate.bytes == 0)
        #expect(admitted(1).count == 4)
        #expect(gate.refusals == 8)
    }

    @Test func `the resident size refuses all, whatever the accounts say`() {
        let gate = AdmissionGate(.init(residentBytes: 1_000))
        #expect(gate.admit(bytes: 10) == .admit)
        gate.noteResident(bytes: 1_001)
        #expect(gate.pressure() == .resident)
        #expect(gate.admit(bytes: 0, priority: .critical) != .admit)
        gate.limits = .init()
        #expect(gate.admit(bytes: 10) == .admit)
    }

    @Test func `the kernel tells the resident size`() throws {
        let bytes = try #require(ResidentSize.bytes)
        #expect(bytes > 1 << 20)
    }
}
