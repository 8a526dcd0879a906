import Testing

@testable import PhoenixNodes

@Suite struct CertificateValidityTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func onlyOutsideItsTimeThereIsSomethingToSay() {
        let validity = CertificateValidity(1000, 2000)
        for moment in [1000, 1500, 2000] as [UInt64] {
            #expect(validity.trouble(at: moment * Self.second) == nil)
        }
        #expect(validity.trouble(at: 999 * Self.second)?.contains("not valid yet") == true)
        let past = validity.trouble(at: 2001 * Self.second)
        #expect(past?.contains("no longer valid") == true)
        #expect(past?.contains("renew it") == true)
    }

    @Test func itsMomentsAreWrittenAsInTheLog() {
        let validity = CertificateValidity(-1, 1_577_836_800)
        #expect(validity.notBefore.text == "1970-01-01T00:00:00Z")
        #expect(validity.notAfter.text == "2020-01-01T00:00:00Z")
        // The year 9999, which certificates without an end name.
        #expect(!CertificateValidity(0, 253_402_300_799).notAfter.text.isEmpty)
    }
}
