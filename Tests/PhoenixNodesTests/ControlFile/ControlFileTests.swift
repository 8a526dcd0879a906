import Foundation
import PhoenixGraph
import PhoenixModel
import Testing

@testable import PhoenixNodes

/// Every form of the control file that the old system's tools wrote, and what is wrong with broken ones.
@Suite struct ControlFileTests {
    static let full = """
        optimization_profile: conservative        # conservative | balanced | aggressive
        config_version: 7                         # grows by one with each write
        correlation_id: "pv3ux-1"                 # unique for each decision
        last_updated: "2026-01-01T00:00:00Z"      # RFC 3339, UTC
        trigger_reason: "a reason with ${dollars} and: colons"
        current_metrics: {full_ts: 0, optimized_ts: 0, experimental_ts: 0, cost_reduction_ratio: 0.0}
        thresholds: {conservative_max_ts: 15000, aggressive_min_ts: 25000}
        pipelines: {full_fidelity_enabled: true, optimized_enabled: true, experimental_enabled: false}
        last_profile_change_timestamp: "2026-01-01T00:00:00Z"
        """

    @Test func theWholeForm() throws {
        let file = try ControlFile(Self.full, file: "f")
        #expect(file.mode == .conservative)
        #expect(file.version == 7)
        #expect(file.correlationID == "pv3ux-1")
        #expect(file.reason == "a reason with ${dollars} and: colons")
        #expect(file.updatedUnixNano == 1_767_225_600_000_000_000)
        #expect(file.exposure == ["full_fidelity": true, "optimized": true, "experimental_topk": false])
    }

    @Test(arguments: [
        ("optimization_profile: aggressive", Mode.aggressive, 0),
        ("optimization_profile: 'balanced'\n", .balanced, 0),
        // The Go actuator's.
        ("optimization_mode: balanced\nlast_updated: 2025-05-24T10:11:12Z\nversion: 12\n", .balanced, 12),
        (
            "optimization_mode: \"aggressive\"\nlast_updated: \"2025-05-24T10:11:12.123456789+02:00\"\nversion: \"v1.2.0\"\n",
            .aggressive, 0
        ),
        // The older template's.
        (
            "# template\nmeta:\n  version: 3\n  correlation_id: x\nmode_config:\n  optimization_mode: conservative\n  other: [1, 2]\n",
            .conservative, 3
        ),
        ("unknown: {a: 1}\noptimization_profile: balanced # why not\nconfig_version: 9", .balanced, 9),
        // The newer name wins over the older.
        ("optimization_mode: aggressive\noptimization_profile: balanced\n", .balanced, 0),
    ])
    func olderForms(_ text: String, _ mode: Mode, _ version: UInt64) throws {
        let file = try ControlFile(text, file: "f")
        #expect(file.mode == mode)
        #expect(file.version == version)
    }

    @Test(arguments: [
        ("", "f:1:1: error: the control file says no mode"),
        ("# nothing\n", "f:1:1: error: the control file says no mode"),
        ("config_version: 3\n", "f:1:1: error: the control file says no mode"),
        ("- a\n- b\n", "f:1:1: error: the control file says no mode"),
        (
            "optimization_profile: balanced\nconfig_version: 18446744073709551615\n",
            "f:2:17: error: the version 18446744073709551615 leaves no room for the next one"
        ),
        (
            "optimization_profile: balanced\nversion: 123456789012345678901234567890\n",
            "f:2:10: error: the version 123456789012345678901234567890 leaves no room"
        ),
        (
            "optimization_profile: conserv",
            "f:1:23: error: expected one of conservative, balanced, aggressive, found `conserv`"
        ),
        (
            "optimization_profile:\n",
            "f:1:22: error: expected one of conservative, balanced, aggressive, found nothing"
        ),
        ("a: 1\noptimization_profile: [balanced\n", "f:3:"),
        ("optimization_profile: balanced\ntrigger_reason: \"half a sent", "f:2:"),
        (
            "optimization_profile: balanced\npipelines: {optimized_enabled: maybe}\n",
            "f:2:32: error: expected true or false"
        ),
        (
            "optimization_profile: balanced\noptimization_profile: aggressive\n",
            "f:2:1: error: `optimization_profile` is written twice"
        ),
    ])
    func brokenOnesSayWhere(_ text: String, _ start: String) {
        do {
            let file = try ControlFile(text, file: "f")
            Issue.record("read as \(file)")
        } catch {
            let message = error.diagnostics.first.map(\.description) ?? ""
            #expect(message.hasPrefix(start), "\(message)")
        }
    }

    /// Whatever byte a write stops at, what is read is the file's mode or nothing.
    @Test func noPrefixReadsAsAnotherMode() {
        let text = Self.full
        for length in 0...text.utf8.count {
            let part = String(decoding: Array(text.utf8.prefix(length)), as: UTF8.self)
            if let file = try? ControlFile(part, file: "f") { #expect(file.mode == .conservative) }
        }
    }

    @Test func whatIsWrittenReadsBack() throws {
        var file = ControlFile(.aggressive)
        (file.version, file.correlationID) = (1 << 62, "pv3ux-\"x\"\n- y: #z")
        file.reason = "EMERGENCY: \\ \"quoted\" \u{1} tab\t ü 漢 null"
        (file.updatedUnixNano, file.changedUnixNano) = (1_767_225_600_123_456_789, 1_767_225_600_000_000_000)
        file.exposure = ["experimental_topk": false]
        file.metrics = .init(full: 100, optimized: 25, experimental: 3)
        file.thresholds = .init(conservativeMaximum: 15_000, aggressiveMinimum: 25_000)
        #expect(try ControlFile(file.text, file: "f") == file.asRead)
        #expect(file.text.contains("cost_reduction_ratio: 0.75"))
        #expect(file.text.contains("thresholds: {conservative_max_ts: 15000, aggressive_min_ts: 25000}"))
        #expect(
            file.text.hasPrefix("optimization_profile: aggressive\nconfig_version: 4611686018427387904\n")
        )
    }

    @Test func brokenFilesKeepTheirVersion() {
        #expect(ControlFile.version(inBroken: "x: [\nconfig_version: 41 # c\n") == 41)
        #expect(ControlFile.version(inBroken: "optimization_profile") == 0)
        #expect(ControlFile.version(inBroken: "config_version: 18446744073709551615\nversion: 3") == 3)
    }
}
