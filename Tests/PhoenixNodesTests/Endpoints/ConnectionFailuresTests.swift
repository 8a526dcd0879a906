import Logging
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// What of connections that come to nothing shows: the counters, and lines of the log.
@Suite struct ConnectionFailuresTests {
    private let log = WrittenLog()
    private func failures() -> ConnectionFailures {
        ConnectionFailures(Logger(label: "test") { [log] _ in log }, limit: 768)
    }
    private var lines: [String] { log.lines.withLock { $0 } }

    /// Every series that is not 0, as `phoenix_tls_failures_total/alert 1`.
    private func counted(_ failures: ConnectionFailures) -> [String] {
        failures.families.flatMap { family in
            family.samples.filter { $0.value > 0 }.map { sample in
                let labels = sample.labels.map { "/\($0.value)" }.joined()
                return "\(family.name)\(labels) \(Int(sample.value))"
            }
        }
    }

    @Test func labelsDifferAndAreThereFromTheStart() {
        let families = failures().families
        #expect(
            families.map(\.name) == ["phoenix_http_refused_connections_total", "phoenix_tls_failures_total"]
        )
        #expect(families.map(\.samples.count) == [4, 8])
        for family in families {
            #expect(Set(family.samples.map(\.labels)).count == family.samples.count, "\(family.name)")
            #expect(family.samples.allSatisfy { $0.value == 0 })
        }
    }

    @Test func whatTheServerNoticesIsCountedByItsReason() {
        let failures = failures()
        failures.note(.connectionLimit)
        failures.note(.connectionLimit)
        failures.note(.acceptFailed(.descriptors, "accept: too many open files"))
        failures.note(.acceptFailed(.memory, "accept: no buffer space"))
        failures.note(.acceptFailed(.other, "accept: aborted"))
        failures.note(.timeout(.idle))
        let name = "phoenix_http_refused_connections_total"
        #expect(
            counted(failures) == [
                "\(name)/limit 2", "\(name)/descriptors 1", "\(name)/memory 1", "\(name)/other 1",
            ]
        )
    }

    @Test func theLogSaysHowToMendItOnceAMinute() {
        let failures = failures()
        for second in 0..<90 {
            failures.note(.acceptFailed(.descriptors, "accept: too many open files"))
            failures.tell(at: .seconds(second))
        }
        #expect(lines.count == 2)
        #expect(lines.first?.contains("left_out=0") == true)
        #expect(lines.last?.contains("left_out=59") == true)
        for part in [
            "warning connections are refused; ", "`ulimit -n`", "`LimitNOFILE=`", "reason=descriptors",
        ] {
            #expect(lines.allSatisfy { $0.contains(part) }, "\(part)")
        }
    }

    @Test func whatIsLeftIsToldAtTheEnd() {
        let failures = failures()
        for _ in 0..<2 { failures.note(.connectionLimit) }
        failures.tell(at: .zero)
        failures.note(.connectionLimit)
        failures.tell(at: .seconds(1))
        #expect(lines.count == 1)
        #expect(lines.allSatisfy { $0.contains("what=768 connections are open") })
        failures.tell(at: .seconds(2), isLast: true)
        #expect(lines.count == 2)
    }

    @Test func aFailureInTLSIsToldWithItsPeer() {
        let failures = failures()
        failures.note(
            .alert,
            .init(what: "tlsv1 alert unknown ca", address: "127.0.0.1:4318", peer: "10.0.0.1:9")
        )
        failures.tell(at: .zero)
        #expect(counted(failures) == ["phoenix_tls_failures_total/alert 1"])
        #expect(lines.count == 1)
        let parts = [
            "warning connections fail in TLS; ", "address=127.0.0.1:4318", "peer=10.0.0.1:9", "reason=alert",
            "what=tlsv1 alert unknown ca",
        ]
        for part in parts { #expect(lines.allSatisfy { $0.contains(part) }, "\(part)") }
    }

    @Test func whoOnlyLooksWhetherThePortIsOpenIsCountedAndNotTold() {
        let failures = failures()
        failures.note(.aborted, .init(what: "the peer went away"))
        failures.tell(at: .zero)
        #expect(counted(failures) == ["phoenix_tls_failures_total/aborted 1"])
        #expect(lines.isEmpty)
    }

    @Test func whatHasNoAdviceIsWhatNeedsNone() {
        for reason in ConnectionFailure.allCases {
            #expect((reason.advice == nil) == [.accept, .aborted].contains(reason), "\(reason)")
        }
    }

    @Test(
        arguments: [
            (["HTTP_REQUEST"], .clearText, "http request"),
            (["WRONG_VERSION_NUMBER"], .clearText, "wrong version number"),
            (["UNSUPPORTED_PROTOCOL"], .version, "unsupported protocol"),
            (["NO_SHARED_CIPHER"], .parameters, "no shared cipher"),
            (
                ["PEER_DID_NOT_RETURN_A_CERTIFICATE"], .noClientCertificate,
                "peer did not return a certificate"
            ),
            (["CERTIFICATE_VERIFY_FAILED"], .clientCertificate, "certificate verify failed"),
            (["TLSV1_ALERT_UNKNOWN_CA"], .alert, "tlsv1 alert unknown ca"),
            (["SOMETHING_NEW"], .tls, "something new"),
            (
                ["SOMETHING_NEW", "CERTIFICATE_VERIFY_FAILED"], .clientCertificate,
                "certificate verify failed"
            ),
            ([], .tls, "nothing is known of it"),
        ] as [([String], ConnectionFailure, String)]
    )
    func errorsOfTLSHaveTheirReason(_ names: [String], _ reason: ConnectionFailure, _ what: String) {
        let found = ConnectionFailure.of(names)
        #expect(found.reason == reason)
        #expect(found.what == what)
    }

    @Test func anErrorOfTLSIsToldWithoutThePlaceInItsSource() {
        let text =
            "Error: 268435612 error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST at /src/s3_both.cc:485"
        #expect(ConnectionFailure.name(in: text) == "HTTP_REQUEST")
        #expect(ConnectionFailure.name(in: "Error:  EOF") == "Error:  EOF")
    }
}
