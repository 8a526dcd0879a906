import Foundation
import Testing

@testable import PhoenixNodes

/// Where the control file is written, whatever lies at its path.
@Suite struct ControlFileStoreTests {
    /// A link at the control file's path to a file in another directory.
    private static func linked(to name: String, _ place: ModeFileTests.Place) throws -> String {
        let other = place.directory.path + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: name)
        return other
    }
    private static func target(of place: ModeFileTests.Place) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: place.path)
    }

    @Test(arguments: [true, false]) func aLinkStaysAndItsFileIsReplaced(isThere: Bool) throws {
        let place = try ModeFileTests.Place()
        let other = try Self.linked(to: "other/real.yaml", place)
        if isThere { try "old".write(toFile: other + "/real.yaml", atomically: false, encoding: .utf8) }
        try ControlFileStore(path: place.path).write("new")
        #expect(try Self.target(of: place) == "other/real.yaml")
        #expect(try String(contentsOfFile: other + "/real.yaml", encoding: .utf8) == "new")
        #expect(try FileManager.default.contentsOfDirectory(atPath: other) == ["real.yaml"])
        #expect(place.names.sorted() == ["optimization_mode.yaml", "other"])
    }
    @Test func aLinkToItselfIsTold() throws {
        let place = try ModeFileTests.Place()
        try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: place.path)
        #expect(throws: ControlFileStore.DiskError.self) { try ControlFileStore(path: place.path).write("x") }
    }
    @Test func aPipeIsNotReplaced() throws {
        let place = try ModeFileTests.Place()
        #expect(mkfifo(place.path, 0o600) == 0)
        do {
            try ControlFileStore(path: place.path).write("x")
            Issue.record("it was written over")
        } catch let error as ControlFileStore.DiskError {
            #expect(error.description.contains("it is a pipe, where a regular file is meant"))
        }
        #expect(place.names == ["optimization_mode.yaml"])
    }
    @Test func aFileIsMadeAndReplaced() throws {
        let place = try ModeFileTests.Place()
        let store = ControlFileStore(path: place.path)
        for text in ["one", "two"] {
            try store.write(text)
            #expect(try store.read() == text)
        }
        #expect(place.names == ["optimization_mode.yaml"])
    }
}
