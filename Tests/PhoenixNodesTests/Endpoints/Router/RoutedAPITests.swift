import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PhoenixModel
import PhoenixTestKit
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// What an API promises of its requests, in a simulated world: bounds, deadlines, and an answer for each.
@Suite struct RoutedAPITests {
    /// The statuses that were answered, in order.
    final class Answers: Sendable {
        private let all = Lock([Int]())
        var statuses: [Int] { all.withLock { $0 } }
        func note(_ response: PhoenixWire.HTTPResponse) { all.withLock { $0.append(response.status) } }
    }
    struct Called: APIBody {
        enum CodingKeys: String, CodingKey, CaseIterable { case name, count }
        static let example = #"{"name": "x", "count": 1}"#
        var name: String
        var count: WholeNumber?
    }

    private static func api(_ world: World, _ limits: RoutedAPI.Limits = .init()) -> RoutedAPI {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return RoutedAPI(time: world.clock, logger: quiet, limits: limits) { router in
            router.get("quick") { _, _ in "quick" }
            router.get("slow") { _, _ in
                try await world.clock.sleep(for: .seconds(5))
                return "slow"
            }
            router.get("hangs") { _, _ in
                try await world.clock.sleep(for: .seconds(3600))
                return "never"
            }
            router.get("fails") { _, _ -> String in throw Unexpected("no") }
            router.get("refuses") { _, _ -> String in throw APIError.badRequest("no") }
            router.get("large") { _, _ in String(repeating: "x", count: 2000) }
            router.get("things/{name}") { _, context in try context.parameter("name") }
            router.post("things") { request, _ in try await request.read(Called.self).name }
        }
    }
    private static func request(
        _ path: String,
        _ method: HTTPTypes.HTTPRequest.Method = .get,
        body: String = "",
        type: String? = nil
    ) -> Request {
        var fields = HTTPTypes.HTTPFields()
        if let type { fields[.contentType] = type }
        let head = HTTPTypes.HTTPRequest(
            method: method,
            scheme: "http",
            authority: "here",
            path: path,
            headerFields: fields
        )
        return Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body)))
    }
    private static func text(_ response: PhoenixWire.HTTPResponse) -> String {
        guard case .bytes(let buffer) = response.body else { return "" }
        return String(buffer: buffer)
    }
    /// The status and the text of the answer to one request.
    private static func answer(to request: Request) throws -> (Int, String) {
        try World.run { world in
            let response = await api(world, .init(answerBytes: 1000)).respond(to: request)
            return (response.status, text(response))
        }
    }

    @Test func routesAnswerWithWhatTheyReturn() throws {
        #expect(try Self.answer(to: Self.request("/quick")) == (200, "quick"))
        #expect(try Self.answer(to: Self.request("/things/a%20b?x=1")) == (200, "a b"))
        #expect(try Self.answer(to: Self.request("/things/a%2")).0 == 400)
    }

    @Test func everyFailureHasAnAnswerThatSaysWhat() throws {
        #expect(
            try Self.answer(to: Self.request("/none/here"))
                == (404, #"{"error":"nothing is served under /none/here"}"#)
        )
        #expect(
            try Self.answer(to: Self.request("/quick", .delete))
                == (405, #"{"error":"DELETE is not served here; use GET, HEAD"}"#)
        )
        #expect(try Self.answer(to: Self.request("/refuses")) == (400, #"{"error":"no"}"#))
        #expect(try Self.answer(to: Self.request("/fails")).0 == 500)
        #expect(try Self.answer(to: Self.request("/large")).0 == 500)
    }

    @Test(arguments: [
        ("", "the body is empty"),
        ("{", "the body is not JSON"),
        ("[1]", "the body is JSON, but no object"),
        (#"{"count": 1}"#, "`name` is missing"),
        (#"{"name": 1}"#, "`name` must be a string"),
        (#"{"name": "x", "count": "y"}"#, "`count` must be a whole number"),
        (#"{"name": "x", "count": 1.5}"#, "`count` must be a whole number"),
        (#"{"name": "x", "count": 1e99}"#, "`count` must be a whole number"),
        (#"{"name": "x", "count": 1e999}"#, "`count` must be a whole number"),
        (#"{"name": "x", "cuont": 1}"#, "there is no `cuont` here; did you mean `count`?"),
        (String(repeating: "[", count: 60_000), "the body is not JSON"),
    ])
    func aWrongBodyIsRefusedWithTheWayOut(_ body: String, _ message: String) throws {
        let (status, text) = try Self.answer(to: Self.request("/things", .post, body: body))
        #expect(status == 400)
        #expect(text.contains(message), "\(text)")
    }

    @Test(arguments: [
        (nil, 200), ("application/json", 200), ("Application/JSON; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 200), ("application/merge-patch+json", 200),
        ("text/plain", 415), ("", 415),
    ])
    func jsonIsTakenUnderItsOwnNames(_ type: String?, _ status: Int) throws {
        let body = #"{"name": "x"}"#
        #expect(try Self.answer(to: Self.request("/things", .post, body: body, type: type)).0 == status)
    }

    /// Serves while `body` runs, closes, and waits until everything was answered.
    private static func serving(
        _ limits: RoutedAPI.Limits = .init(),
        seed: UInt64 = 1,
        _ body: @escaping @Sendable (World, RoutedAPI, Answers) async throws -> Void
    ) throws -> [Int] {
        try World.run(seed: seed) { world in
            let (api, answers) = (api(world, limits), Answers())
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await api.serve() }
                group.addTask {
                    try? await body(world, api, answers)
                    api.close()
                }
                await group.waitForAll()
            }
            return answers.statuses
        }
    }

    @Test func theDeadlineEndsWhatHangs() throws {
        let statuses = try Self.serving { world, api, answers in
            let began = world.clock.monotonic
            api.take(Self.request("/hangs"), answers.note)
            api.take(Self.request("/slow"), answers.note)
            try await world.clock.sleep(for: .seconds(11))
            #expect(answers.statuses == [200, 503])
            #expect(world.clock.monotonic - began == .seconds(11))
        }
        #expect(statuses == [200, 503])
    }

    @Test func theDeadlineCountsTheWait() throws {
        let statuses = try Self.serving(.init(concurrent: 1)) { world, api, answers in
            for _ in 0..<3 { api.take(Self.request("/hangs"), answers.note) }
            // The first takes all the time that the others have.
            try await world.clock.sleep(for: .seconds(12))
            #expect(answers.statuses == [503, 503, 503])
        }
        #expect(statuses == [503, 503, 503])
    }

    @Test func moreThanMayWaitAreToldToComeBack() throws {
        let statuses = try Self.serving(.init(waiting: 4, concurrent: 2)) { world, api, answers in
            // Two are under way once the reader had its turn, and four wait.
            for _ in 0..<2 { api.take(Self.request("/slow"), answers.note) }
            try await world.clock.sleep(for: .seconds(1))
            for _ in 0..<5 { api.take(Self.request("/quick"), answers.note) }
            #expect(answers.statuses == [503])
        }
        #expect(statuses == [503] + Array(repeating: 200, count: 6))
    }

    @Test(arguments: 1..<20 as Range<UInt64>) func whatWasTakenIsAnsweredBeforeTheEnd(_ seed: UInt64) throws {
        let statuses = try Self.serving(seed: seed) { world, api, answers in
            for _ in 0..<5 { api.take(Self.request("/slow"), answers.note) }
            api.close()
            api.take(Self.request("/quick"), answers.note)
            #expect(answers.statuses == [503])
        }
        #expect(statuses == [503, 200, 200, 200, 200, 200])
    }

    @Test(arguments: 1..<20 as Range<UInt64>) func aCutOffAnswersAllAndMayServeAgain(_ seed: UInt64) throws {
        try World.run(seed: seed) { world in
            let (api, answers) = (Self.api(world, .init(concurrent: 2)), Answers())
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await api.serve() }
                for _ in 0..<6 { api.take(Self.request("/hangs"), answers.note) }
                try? await world.clock.sleep(for: .seconds(1))
                group.cancelAll()
            }
            guard answers.statuses == Array(repeating: 503, count: 6) else {
                throw Unexpected("answered \(answers.statuses)")
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await api.serve() }
                api.take(Self.request("/quick"), answers.note)
                try? await world.clock.sleep(for: .seconds(1))
                api.close()
            }
            guard answers.statuses.last == 200 else { throw Unexpected("answered \(answers.statuses)") }
        }
    }

    @Test func aClosedOneMayBeReopened() throws {
        let statuses = try World.run { world in
            let (api, answers) = (Self.api(world), Answers())
            api.close()
            await api.serve()
            api.take(Self.request("/quick"), answers.note)
            api.reopen()
            // Held until somebody serves again.
            api.take(Self.request("/quick"), answers.note)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await api.serve() }
                try? await world.clock.sleep(for: .seconds(1))
                api.close()
            }
            return answers.statuses
        }
        #expect(statuses == [503, 200])
    }

    @Test func whoIsGoneCostsNothing() throws {
        let statuses = try Self.serving { world, api, answers in
            api.take(Self.request("/quick"), isGone: { true }, answers.note)
            try await world.clock.sleep(for: .seconds(1))
        }
        #expect(statuses == [])
    }
}
