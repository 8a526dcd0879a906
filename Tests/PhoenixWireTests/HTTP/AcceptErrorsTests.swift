import Glibc
import NIOCore
import NIOEmbedded
import Testing

@testable import PhoenixWire

/// What a listening socket does when it cannot accept, without a socket and with a clock of its own.
@Suite struct AcceptErrorsTests {
    private struct Listening {
        let loop = EmbeddedEventLoop()
        let channel: EmbeddedChannel
        let events = EmbeddedServer.Events()

        init() throws {
            channel = EmbeddedChannel(loop: loop)
            let events = events
            try channel.pipeline.syncOperations.addHandler(
                AcceptErrors(pause: .seconds(1)) { events.add($0) }
            )
        }
        /// What it was last told: to accept, or not to; nil where it was told nothing.
        var isAccepting: Bool? {
            channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
        }
        func fail(_ code: CInt) {
            channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
        }
    }

    @Test(
        arguments: [
            (EMFILE, .descriptors), (ENFILE, .descriptors), (ENOBUFS, .memory), (ENOMEM, .memory),
        ] as [(CInt, HTTPEvent.AcceptFailure)]
    )
    func whereNothingIsLeftItPausesForASecond(_ code: CInt, _ failure: HTTPEvent.AcceptFailure) throws {
        let listening = try Listening()
        #expect(listening.isAccepting == nil)
        for round in 1...3 {
            listening.fail(code)
            #expect(listening.isAccepting == false)
            listening.loop.advanceTime(by: .milliseconds(999))
            #expect(listening.isAccepting == false)
            listening.loop.advanceTime(by: .milliseconds(1))
            #expect(listening.isAccepting == true)
            let event = HTTPEvent.acceptFailed(failure, String(cString: strerror(code)).lowercased())
            #expect(listening.events.seen == Array(repeating: event, count: round))
        }
        _ = try listening.channel.finish()
    }

    @Test func aPauseIsNotMadeLonger() throws {
        let listening = try Listening()
        listening.fail(EMFILE)
        listening.loop.advanceTime(by: .milliseconds(500))
        listening.fail(EMFILE)
        listening.loop.advanceTime(by: .milliseconds(500))
        #expect(listening.isAccepting == true)
        _ = try listening.channel.finish()
    }

    @Test func aConnectionThatIsGoneAlreadyStopsNothing() throws {
        let listening = try Listening()
        listening.fail(ECONNABORTED)
        #expect(listening.isAccepting == nil)
        #expect(listening.events.seen == [.acceptFailed(.other, "software caused connection abort")])
        _ = try listening.channel.finish()
    }

    @Test func onceClosedItDoesNotAcceptAgain() throws {
        let listening = try Listening()
        listening.channel.allowOptionsWhenClosed = false
        listening.fail(EMFILE)
        listening.channel.close(promise: nil)
        listening.loop.advanceTime(by: .seconds(1))
        #expect(listening.isAccepting == false)
        _ = try listening.channel.finish(acceptAlreadyClosed: true)
    }
}
