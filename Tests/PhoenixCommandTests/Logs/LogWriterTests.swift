import Foundation
import PhoenixModel
import Testing

@testable import PhoenixCommand

@Suite struct LogBacklogTests {
    @Test func linesAreBoundedInNumber() {
        var backlog = LogBacklog(.init(lines: 2, bytes: 1000))
        let admitted = [1, 1, 1].map { backlog.admit($0) }
        #expect(admitted == [true, true, false])
        #expect(backlog.dropped == 1)
    }

    @Test func linesAreBoundedInBytes() {
        var backlog = LogBacklog(.init(lines: 100, bytes: 10))
        let admitted = [6, 5, 4, Int.max].map { backlog.admit($0) }
        #expect(admitted == [true, false, true, false])
        #expect(backlog.dropped == 2)
    }

    @Test func whatWasDroppedIsToldOfOnceMostAreWritten() {
        var backlog = LogBacklog(.init(lines: 4, bytes: 1000))
        for _ in 0..<7 { _ = backlog.admit(1) }
        let before = [backlog.finish(1, isWritten: true), backlog.finish(1, isWritten: true)]
        #expect(before == [0, 3])
        backlog.told(3)
        let after = backlog.finish(1, isWritten: true)
        #expect(after == 0)
        #expect(backlog.dropped == 3)
    }

    @Test func whatCouldNotBeWrittenIsDroppedToo() {
        var backlog = LogBacklog(.init())
        for _ in 0..<2 { _ = backlog.admit(1) }
        let told = [backlog.finish(1, isWritten: false), backlog.finish(1, isWritten: true)]
        #expect(told == [0, 1])
        #expect(backlog.dropped == 1)
    }
}

@Suite struct LogWriterTests {
    /// A reader of lines that stands still until it is let go.
    private final class Reader: Sendable {
        private let read = Lock<[String]>([])
        private let gate = DispatchSemaphore(value: 0)
        var lines: [String] { read.withLock { $0 } }

        func take(_ line: String) -> Bool {
            gate.wait()
            gate.signal()
            read.withLock { $0.append(line) }
            return true
        }
        func letGo() { gate.signal() }
    }

    private static func writer(_ reader: Reader, lines: Int) -> LogWriter {
        LogWriter(
            limits: .init(lines: lines, bytes: 1 << 20),
            write: { reader.take($0) },
            report: { "\($0) dropped" }
        )
    }

    @Test func whoLogsDoesNotWaitForAReaderThatStands() {
        let reader = Reader()
        let log = Self.writer(reader, lines: 3)
        for number in 1...10 { log.put("\(number)") }
        #expect(log.dropped == 7)
        // Nor does the end of the process.
        log.flush(within: .milliseconds(1))
        #expect(reader.lines.isEmpty)
        reader.letGo()
        log.flush(within: .seconds(60))
        #expect(reader.lines.first == "1")
        #expect(reader.lines.filter { !$0.hasSuffix("dropped") } == ["1", "2", "3"])
        #expect(reader.lines.filter { $0.hasSuffix("dropped") } == ["7 dropped"])
        #expect(log.dropped == 7)
    }

    @Test func aFlushLeavesNothingUnwritten() {
        let reader = Reader()
        reader.letGo()
        let log = Self.writer(reader, lines: 1000)
        let lines = (0..<1000).map { "\($0)" }
        for line in lines { log.put(line) }
        log.flush(within: .seconds(60))
        #expect(reader.lines == lines)
        #expect(log.dropped == 0)
    }
}
