import Foundation
import Testing

@testable import PhoenixNodes

/// Series that come and go: no point stands on a wrong series, what is added up is exact, and memory is what the living
/// ones take.
///
/// `PHOENIX_CHURN_SERIES` sets how many there are in ten minutes; the issue names ten million, which `tools/soak.sh` takes.
@Suite struct ChurnTests {
    static var series: Int {
        ProcessInfo.processInfo.environment["PHOENIX_CHURN_SERIES"].flatMap { Int($0) } ?? 60_000
    }

    /// In a process of its own: beside other tests nobody could tell whose the memory is.
    @Test func nothingIsLostAndMemoryStaysFlat() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            var run = ChurnRun(.init(series: ChurnTests.series))
            run.run()
            let (early, late) = (run.residentEarly, run.residentLate)
            print(
                "churn: \(run.pointsSent) points of \(ChurnTests.series) series, at most \(run.mostSeries) held at once, "
                    + "\(run.retired) retired; \(run.linesRead) lines read; resident \(Int(early / 1e6)) MB after a third, "
                    + "\(Int(late / 1e6)) MB at the end"
            )
            print("resident after each tenth, MB: \(run.resident.map { Int($0 / 1e6) })")
            print("dropped: \(run.dropped); complaints: \(run.complaints)")
            #expect(run.complaints.isEmpty)
            #expect(run.dropped.isEmpty)
            #expect(run.pointsShown == run.pointsSent)
            #expect(run.linesRead > 0 && run.retired > UInt64(ChurnTests.series / 2))
            #expect(early > 0)
            // A tenth and 20 MB are what an allocator may keep.
            #expect(late < early * 1.1 + 20e6)
        }
        print(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self))
    }
}
