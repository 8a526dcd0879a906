import Foundation
import Testing

@testable import PhoenixCommand

@Suite struct StatusTextTests {
    private static func text(_ json: String) throws -> String {
        StatusText(try JSONDecoder().decode(StatusText.Status.self, from: Data(json.utf8))).text
    }

    @Test func allThatIsKnownIsShown() throws {
        let text = try Self.text(
            #"""
            {"current_mode": "aggressive", "since": "2026-01-01T00:00:00Z", "reason": "MANUAL: load test",
             "config_version": 7, "correlation_id": "pv3ux-7", "safe_mode": true, "forced": "EMERGENCY", "unknown": 1,
             "kpis": {"full_ts": 40000, "optimized_ts": 12000.4, "cost_reduction_ratio": 0.7},
             "forecasts": {"conservative": 40000, "aggressive": 12000},
             "override": {"mode": "aggressive", "reason": "load test", "until": "2026-01-01T00:10:00Z",
                          "remaining_seconds": 570.5}}
            """#
        )
        #expect(
            text == """
                mode       aggressive, since 2026-01-01T00:00:00Z
                reason     MANUAL: load test
                decision   pv3ux-7, version 7
                override   aggressive until 2026-01-01T00:10:00Z, 9m30s left
                forced by  EMERGENCY
                safe mode  observations stopped coming
                series     full 40000, optimized 12000; 70 % saved
                would be   conservative 40000, aggressive 12000
                """
        )
    }

    @Test func whatIsNotKnownIsLeftOut() throws {
        let text = try Self.text(
            #"""
            {"current_mode": "balanced", "since": "2026-01-01T00:00:00Z", "reason": "", "config_version": 0,
             "correlation_id": "pv3ux-0", "safe_mode": false, "kpis": {"cost_reduction_ratio": 0}, "forecasts": {}}
            """#
        )
        #expect(
            text == """
                mode      balanced, since 2026-01-01T00:00:00Z
                reason    none was given
                decision  pv3ux-0, version 0
                series    not known yet
                """
        )
    }
}
