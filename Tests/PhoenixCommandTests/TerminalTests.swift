import Foundation
import Testing

@testable import PhoenixCommand

@Suite struct TerminalTests {
    @Test func aWriteTellsWhyItFailed() throws {
        let pipe = Pipe()
        let end = pipe.fileHandleForWriting.fileDescriptor
        #expect(Terminal.write("text", to: end) == nil)
        #expect(pipe.fileHandleForReading.availableData == Data("text".utf8))
        #expect(Terminal.write("text", to: pipe.fileHandleForReading.fileDescriptor) == EBADF)
        #expect(Terminal.write("", to: -1) == nil)
        #expect(Terminal.write("text", to: -1) == EBADF)
    }

    @Test func aPageThatCannotBeWrittenIsToldInWords() throws {
        let directory = "/dev/null/pages"
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            Issue.record("\(directory) was made")
        } catch {
            let text = Reference.refusal(error, in: directory)
            #expect(text.contains("/dev/null") && text.contains("name a directory"))
            #expect(!text.contains("Domain"))
        }
    }
}
