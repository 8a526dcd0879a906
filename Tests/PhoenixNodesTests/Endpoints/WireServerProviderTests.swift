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
