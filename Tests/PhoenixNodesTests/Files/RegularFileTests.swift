import Foundation
import PhoenixGraph
import Testing

@testable import PhoenixNodes

/// What is a file and what only lies where one is meant.
@Suite struct RegularFileTests {
    private static func why(_ path: String, limit: Int = 100) -> String? {
        do throws(UnreadableFile) {
            let bytes = try RegularFile.contents(of: path, limit: limit)
            return bytes.count <= limit ? nil : "\(bytes.count) bytes"
        } catch { return error.description }
    }

    @Test func aFileIsReadUpToItsLimit() throws {
        let place = try ModeFileTests.Place()
        try place.write(String(repeating: "x", count: 100))
        #expect(try RegularFile.contents(of: place.path, limit: 100).count == 100)
        #expect(Self.why(place.path, limit: 99) == "it is longer than 99 bytes")
        #expect(Self.why(place.path + "x") == "there is no such file")
    }
    @Test func whatIsNoFileIsRefusedAtOnce() throws {
        let place = try ModeFileTests.Place()
        #expect(mkfifo(place.path, 0o600) == 0)
        let remedy = ", where a regular file is meant: put one in its place"
        #expect(Self.why(place.path) == "it is a pipe" + remedy)
        #expect(Self.why(place.directory.path) == "it is a directory" + remedy)
        #expect(Self.why("/dev/zero") == "it is a device" + remedy)
    }
    @Test func aLinkIsItsFile() throws {
        let place = try ModeFileTests.Place()
        try place.write("x")
        let link = place.directory.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place.path)
        #expect(try RegularFile.contents(of: link, limit: 1) == [0x78])
    }
}
