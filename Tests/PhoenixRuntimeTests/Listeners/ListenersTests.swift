import Testing

@testable import PhoenixRuntime

@Suite("Listeners outlive the nodes that asked for them")
struct ListenersTests {
    private struct Page: Endpoint {}

    @Test func `nothing is opened before the commit, then all routes of an address at once`() async throws {
        let server = FakeServer()
        let listeners = Listeners(server)
        listeners.attach("h:1", paths: ["/a"], Page(), owner: "a")
        listeners.attach("h:1", paths: ["/b"], Page(), owner: "b")
        #expect(server.log.value.isEmpty)
        try await listeners.commit()
        #expect(server.log.value == ["open h:1"])
        #expect(server.routes.value == ["h:1": ["a /a", "b /b"]])
        await listeners.close(within: .zero)
        #expect(server.log.value == ["open h:1", "close h:1"])
    }

    @Test func `an address that the heir claims too stays open`() async throws {
        let server = FakeServer()
        let listeners = Listeners(server)
        listeners.attach("h:1", paths: ["/a"], Page(), owner: "a")
        listeners.attach("h:2", paths: ["/"], Page(), owner: "a")
        try await listeners.commit()
        listeners.detach("a")
        listeners.attach("h:1", paths: ["/a"], Page(), owner: "a")
        listeners.attach("h:3", paths: ["/"], Page(), owner: "a")
        try await listeners.commit()
        #expect(server.log.value == ["open h:1", "open h:2", "open h:3", "close h:2"])
        listeners.detach("a")
        try await listeners.commit()
        #expect(server.log.value.suffix(2) == ["close h:1", "close h:3"] || server.routes.value.isEmpty)
        #expect(server.routes.value.isEmpty)
    }

    @Test func `a port that is taken leaves everything as it was`() async throws {
        let server = FakeServer(taken: ["h:9"])
        let listeners = Listeners(server)
        listeners.attach("h:1", paths: ["/"], Page(), owner: "a")
        try await listeners.commit()
        listeners.detach("a")
        listeners.attach("h:2", paths: ["/"], Page(), owner: "b")
        listeners.attach("h:9", paths: ["/"], Page(), owner: "c")
        let error = await #expect(throws: ListenError.self) { try await listeners.commit() }
        #expect(error?.code == .cannotOpen)
        #expect(error?.owner == "c")
        #expect(error?.cause is FakeServer.Taken)
        #expect(server.routes.value == ["h:1": ["a /"]])
        #expect(listeners.bound == ["h:1"])
        try await listeners.commit()
        #expect(server.routes.value == ["h:1": ["a /"]])
    }

    @Test func `one path for two nodes, or two protocols on one address, are refused`() async throws {
        let listeners = Listeners(FakeServer())
        listeners.attach("h:1", paths: ["/"], Page(), owner: "a")
        listeners.attach("h:1", paths: ["/"], Page(), owner: "b")
        let overlap = await #expect(throws: ListenError.self) { try await listeners.commit() }
        #expect(
            overlap?.description
                == "b: cannot listen on h:1: a serves / there; choose another path or address"
        )
        listeners.attach("h:1", paths: ["/"], Page(), owner: "a")
        listeners.attach("h:1", protocol: "statsd", paths: ["/b"], Page(), owner: "b")
        let unlike = await #expect(throws: ListenError.self) { try await listeners.commit() }
        #expect(unlike?.code == .conflict)
    }

    @Test func `with port 0 every node gets a port of its own, and is told which`() async throws {
        let listeners = Listeners(FakeServer())
        listeners.attach("h:0", paths: ["/"], Page(), owner: "a")
        listeners.attach("h:0", paths: ["/"], Page(), owner: "b")
        try await listeners.commit()
        let (a, b) = (listeners.bound("h:0", for: "a"), listeners.bound("h:0", for: "b"))
        #expect(a != nil && b != nil && a != b)
        #expect(listeners.bound == [a, b].compactMap { $0 }.sorted())
    }

    @Test func `a change knows whether it has to open, to wait for requests, and to close`() async throws {
        let listeners = Listeners(FakeServer())
        listeners.attach("h:1", paths: ["/"], Page(), owner: "a")
        try await listeners.commit()
        listeners.detach("a")
        listeners.attach("h:1", paths: ["/"], Page(), owner: "a")
        #expect(try !listeners.hasToOpen())
        let (stranger, heir) = (listeners.switchOver(["b"]), listeners.switchOver(["a"]))
        #expect(!stranger && heir)
        #expect(listeners.settle().isEmpty)
        listeners.attach("h:2", paths: ["/"], Page(), owner: "b")
        #expect(try listeners.hasToOpen())
        try await listeners.open()
        // Nobody served before what is new.
        let newcomer = listeners.switchOver(["b"])
        #expect(!newcomer)
        #expect(listeners.undo().count == 1)
        listeners.attach("h:1", protocol: "statsd", paths: ["/b"], Page(), owner: "b")
        #expect(throws: ListenError.self) { try listeners.hasToOpen() }
        // The claims were dropped.
        #expect(try !listeners.hasToOpen())
    }

    @Test func `however an address is spelled, it stays open`() async throws {
        let server = FakeServer()
        let listeners = Listeners(server)
        listeners.attach("unix:/x/a.sock", paths: ["/"], Page(), owner: "a")
        listeners.attach("Localhost:1", paths: ["/"], Page(), owner: "a")
        try await listeners.commit()
        listeners.detach("a")
        listeners.attach("unix:/x//./a.sock", paths: ["/"], Page(), owner: "a")
        listeners.attach("localhost:1", paths: ["/"], Page(), owner: "a")
        #expect(try !listeners.hasToOpen())
        try await listeners.commit()
        #expect(server.log.value.count == 2)
        #expect(listeners.bound("LOCALHOST:1", for: "a") == "localhost:1")
    }

    @Test func `an address makes way for one that meets it, and is had again if the change is undone`()
        async throws
    {
        let server = FakeServer()
        let listeners = Listeners(server)
        listeners.attach("10.0.0.1:1", paths: ["/a"], Page(), owner: "a")
        try await listeners.commit()
        listeners.detach("a")
        listeners.attach("0.0.0.0:1", paths: ["/b"], Page(), owner: "a")
        try await listeners.open()
        #expect(server.accepting.value == ["0.0.0.0:1"])
        // Who comes by the new address finds what is still served ...
        #expect(server.routes.value == ["10.0.0.1:1": ["a /a"], "0.0.0.0:1": ["a /a"]])
        listeners.switchOver(["a"])
        // ... and who has stayed connected to the old one what has moved.
        #expect(server.routes.value == ["10.0.0.1:1": ["a /b"], "0.0.0.0:1": ["a /b"]])
        listeners.switchBack()
        #expect(server.routes.value == ["10.0.0.1:1": ["a /a"], "0.0.0.0:1": ["a /a"]])
        await listeners.close(listeners.undo())
        #expect(server.accepting.value == ["10.0.0.1:1"])
        #expect(server.routes.value == ["10.0.0.1:1": ["a /a"]])
    }

    @Test func `what only this machine could reach is not offered to others before its time`() async throws {
        let server = FakeServer()
        let listeners = Listeners(server)
        listeners.attach("127.0.0.1:1", paths: ["/a"], Page(), owner: "a")
        try await listeners.commit()
        listeners.detach("a")
        listeners.attach("0.0.0.0:1", paths: ["/b"], Page(), owner: "b")
        try await listeners.open()
        #expect(server.routes.value == ["127.0.0.1:1": ["a /a"], "0.0.0.0:1": []])
        listeners.switchOver(["b"])
        #expect(server.routes.value == ["127.0.0.1:1": ["a /a", "b /b"], "0.0.0.0:1": ["b /b"]])
        await listeners.close(listeners.settle())
        #expect(server.routes.value == ["0.0.0.0:1": ["b /b"]])
    }

    @Test func `an address changes its protocol, and offers nothing over the new one before its time`()
        async throws
    {
        let server = FakeServer()
        let listeners = Listeners(server)
        listeners.attach("h:1", paths: ["/a"], Page(), owner: "a")
        try await listeners.commit()
        listeners.detach("a")
        listeners.attach("h:1", protocol: "https", paths: ["/a"], Page(), owner: "a")
        try await listeners.commit()
        #expect(server.log.value == ["open h:1", "open h:1", "close h:1"])
        #expect(server.accepting.value == ["h:1"])
        var table = ListenerTable()
        let (old, new) = (
            ListenerTable.Key("h:1", protocol: "http", owner: "a"),
            ListenerTable.Key("h:1", protocol: "https", owner: "a")
        )
        table.attach(old, [Route(path: "/a", endpoint: Page(), owner: "a")])
        try table.noteOpened(table.change())
        let (isReplacing, closed) = (table.switchOver(["a"]), table.settle())
        #expect(!isReplacing && closed.isEmpty)
        table.leave("a")
        table.attach(new, [Route(path: "/a", endpoint: Page(), owner: "a")])
        try table.noteOpened(table.change())
        #expect(table.routes[new]?.isEmpty == true)
        #expect(table.routes[old]?.count == 1)
    }

    @Test func `an address that made way in vain is had again`() async throws {
        let server = FakeServer()
        let listeners = Listeners(server)
        listeners.attach("127.0.0.1:1", paths: ["/"], Page(), owner: "a")
        try await listeners.commit()
        server.accepting.change { $0.append("127.0.0.2:1") }
        listeners.detach("a")
        listeners.attach("0.0.0.0:1", paths: ["/"], Page(), owner: "a")
        let error = await #expect(throws: ListenError.self) { try await listeners.commit() }
        #expect(error?.cause is AddressInUse)
        #expect(server.accepting.value.sorted() == ["127.0.0.1:1", "127.0.0.2:1"])
        #expect(server.routes.value == ["127.0.0.1:1": ["a /"]])
    }

    @Test func `an address that the engine itself holds on is named`() async throws {
        let listeners = Listeners(FakeServer())
        listeners.attach("127.0.0.1:1", paths: ["/"], Page(), owner: "a")
        try await listeners.commit()
        listeners.attach("0.0.0.0:1", paths: ["/"], Page(), owner: "b")
        let error = await #expect(throws: ListenError.self) { try await listeners.commit() }
        #expect(
            error?.description
                == "b: cannot listen on 0.0.0.0:1: this engine itself holds 127.0.0.1:1; choose another address"
        )
    }

    @Test func `without a server a claim is refused, and says so`() async throws {
        let listeners = Listeners()
        try await listeners.commit()
        listeners.attach("h:1", paths: ["/"], Page(), owner: "a")
        let error = await #expect(throws: ListenError.self) { try await listeners.commit() }
        #expect(error?.code == .noServer)
    }
}
