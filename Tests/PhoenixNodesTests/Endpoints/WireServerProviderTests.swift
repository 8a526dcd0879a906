import Foundation
import NIOCore
import NIOPosix
import PhoenixWire
import Testing

@testable import PhoenixNodes
@testable import PhoenixRuntime

/// Addresses on real sockets, as changes of a graph open, move and close them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct WireServerProviderTests {
    private struct Page: Endpoint {}

    private func opening(
        _ body: (WireServerProvider, MultiThreadedEventLoopGroup) async throws -> Void
    ) async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do { try await body(WireServerProvider(HTTPServer(group: loops)), loops) } catch {
            try await loops.shutdownGracefully()
            throw error
        }
        try await loops.shutdownGracefully()
    }
    /// Throws where nobody listens.
    private func connect(_ loops: MultiThreadedEventLoopGroup, to port: Int) async throws {
        try await ClientBootstrap(group: loops).connect(host: "127.0.0.1", port: port).get().close().get()
    }
    private func connect(_ loops: MultiThreadedEventLoopGroup, to path: String) async throws {
        try await ClientBootstrap(group: loops).connect(unixDomainSocketPath: path).get().close().get()
    }

    @Test func aSocketFileIsRemovedByItsOwnServerOnly() async throws {
        try await opening { provider, loops in
            let path = "/tmp/phoenix-\(UUID().uuidString.prefix(8)).sock"
            let first = try await provider.open("unix:\(path)", protocol: "http")
            let second = try await provider.open("unix:\(path)", protocol: "http")
            await first.stopAccepting()
            try await connect(loops, to: path)
            await second.close(within: .zero)
            #expect(!FileManager.default.fileExists(atPath: path))
            try await first.resume()
            try await connect(loops, to: path)
            await first.close(within: .zero)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func aSocketFileThatWasTakenAwayIsPutBack() async throws {
        try await opening { provider, loops in
            let path = "/tmp/phoenix-\(UUID().uuidString.prefix(8)).sock"
            let first = try await provider.open("unix:\(path)", protocol: "http")
            try FileManager.default.removeItem(atPath: path)
            await #expect(throws: (any Error).self) { try await connect(loops, to: path) }
            #expect(await provider.regain().isEmpty)
            try await connect(loops, to: path)
            // A newer server of this process keeps it, and one that was told to stop takes nothing.
            let second = try await provider.open("unix:\(path)", protocol: "http")
            let inode = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
            #expect(await provider.regain().isEmpty)
            let after = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
            #expect(inode != nil && inode == after)
            await second.close(within: .zero)
            await first.stopAccepting()
            #expect(await provider.regain().isEmpty)
            #expect(!FileManager.default.fileExists(atPath: path))
            await first.close(within: .zero)
        }
    }

    @Test func aSocketFileThatCannotBePutBackIsToldEachTime() async throws {
        try await opening { provider, loops in
            let directory = "/tmp/phoenix-\(UUID().uuidString.prefix(8))"
            let path = directory + "/a.sock"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            let server = try await provider.open("unix:\(path)", protocol: "http")
            try FileManager.default.removeItem(atPath: directory)
            for _ in 0..<2 {
                let errors = await provider.regain().map { "\($0)" }
                #expect(errors == ["unix:\(path): the directory of the socket does not exist"])
            }
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            #expect(await provider.regain().isEmpty)
            try await connect(loops, to: path)
            await server.close(within: .zero)
            try FileManager.default.removeItem(atPath: directory)
        }
    }

    @Test func aSocketFileThatNobodyListensOnIsReplaced() async throws {
        try await opening { provider, loops in
            let path = "/tmp/phoenix-\(UUID().uuidString.prefix(8)).sock"
            // What a process leaves that is killed.
            let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let address = try SocketAddress(unixDomainSocketPath: path)
            #expect(address.withSockAddr { Foundation.bind(left, $0, socklen_t($1)) } == 0)
            Foundation.close(left)
            let server = try await provider.open("unix:\(path)", protocol: "http")
            try await connect(loops, to: path)
            await server.close(within: .zero)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func aFileThatIsNoSocketIsNotReplaced() async throws {
        try await opening { provider, _ in
            let path = "/tmp/phoenix-\(UUID().uuidString.prefix(8)).txt"
            try Data("kept".utf8).write(to: URL(fileURLWithPath: path))
            defer { try? FileManager.default.removeItem(atPath: path) }
            let error = await #expect(throws: AddressError.self) {
                try await provider.open("unix:\(path)", protocol: "http")
            }
            #expect(error?.description.contains("is no socket") == true)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "kept")
        }
    }

    @Test func aSocketOfAnotherUserIsNamed() throws {
        let address = try #require(HTTPAddress("unix:/run/a.sock"))
        let error = AddressError.reason(address, IOError(errnoCode: EEXIST, reason: "connect"))
        #expect("\(error)".contains("a socket of another user has that name"))
    }

    @Test(arguments: [true, false]) func anAddressTakesAnotherHostOnItsPort(_ isUndone: Bool) async throws {
        try await opening { provider, loops in
            let listeners = Listeners(provider)
            let free = try await provider.open("127.0.0.1:0", protocol: "http")
            await free.close(within: .zero)
            let (old, port) = (
                free.boundAddress, try #require(HTTPAddress(free.boundAddress)?.port)
            )
            listeners.attach(old, paths: ["/"], Page(), owner: "a")
            try await listeners.commit()
            listeners.detach("a")
            listeners.attach("0.0.0.0:\(port)", paths: ["/"], Page(), owner: "a")
            try await listeners.open()
            try await connect(loops, to: port)
            listeners.switchOver(["a"])
            await listeners.close(isUndone ? listeners.undo() : listeners.settle())
            #expect(listeners.bound == [isUndone ? old : "0.0.0.0:\(port)"])
            try await connect(loops, to: port)
            await listeners.close(within: .zero)
            await #expect(throws: (any Error).self) { try await connect(loops, to: port) }
        }
    }
}
