import ArgumentParser
import AsyncHTTPClient
import Foundation
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime

/// How to reach the admin API of a running instance.
struct AdminOptions: ParsableArguments {
    @Option(help: "Where its admin API listens: host:port or unix:/path.")
    var address = "127.0.0.1:13134"
    @Option(help: "The file that holds the token; PHOENIX_ADMIN_TOKEN if it is left out.")
    var tokenFile: String?
}

/// A caller of the admin API.
struct AdminClient {
    struct Answer {
        var status: Int
        var body: String

        private struct Listed: Decodable {
            struct Record: Decodable {
                var outcome: String
                var generation: Int
                var duration_seconds: Double
            }
            var plan: PlanListing
            var reload: Record?
        }
        private struct Refused: Decodable {
            struct Entry: Decodable { var file, message, remedy: String; var line, column: Int }
            var error: String
            var diagnostics: [Entry]?
        }

        /// The plan for people, and what became of it.
        var planText: String {
            guard let listed = try? JSONDecoder().decode(Listed.self, from: Data(body.utf8)) else {
                return body
            }
            guard let reload = listed.reload else { return listed.plan.text }
            return
                "\(listed.plan.text)\n\(reload.outcome), generation \(reload.generation), \(reload.duration_seconds) s"
        }
        /// The plan for programs, as for one that was made here.
        var planJSON: String {
            let listed = try? JSONDecoder().decode(Listed.self, from: Data(body.utf8))
            return listed?.plan.json ?? body
        }
        /// Tells why it was refused, and how the program ends.
        func exit() -> ExitCode {
            if let refused = try? JSONDecoder().decode(Refused.self, from: Data(body.utf8)) {
                let entries = refused.diagnostics ?? []
                let lines = entries.map {
                    "\($0.file):\($0.line):\($0.column): error: \($0.message); \($0.remedy)"
                }
                Terminal.note(lines.isEmpty ? refused.error : lines.joined(separator: "\n"))
            } else {
                Terminal.note("the instance answered \(status): \(body)")
            }
            return Outcome.refused.exitCode
        }
    }
    private let options: AdminOptions
    init(_ options: AdminOptions) { self.options = options }

    func put(_ bundle: GraphBundle?, query: String) async throws -> Answer {
        var request = HTTPClientRequest(to: try url(query))
        request.method = .PUT
        if let token = try token() { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let bundle {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(try JSONEncoder().encode(bundle))
        }
        do {
            return try await answer(to: request)
        } catch {
            Terminal.note(
                "no answer from \(options.address): \(ConnectionTrouble(error)); is the instance running, "
                    + "and is `engine.admin` its address?"
            )
            throw Outcome.notStarted.exitCode
        }
    }
    private func answer(to request: HTTPClientRequest) async throws -> Answer {
        try await HTTPClient.withHTTPClient(configuration: .tryingOnce) { client in
            let response = try await client.execute(request, timeout: .hours(1))
            let body = try await response.body.collect(upTo: 64 << 20)
            return Answer(
                status: Int(response.status.code),
                body: String(decoding: body.readableBytesView, as: UTF8.self)
            )
        }
    }
    private func url(_ query: String) throws -> WebURL {
        let path = "/api/v1/graph?\(query)"
        let address = options.address
        do throws(WebURL.Flaw) {
            guard address.hasPrefix("unix:") else { return try WebURL("http://\(address)\(path)") }
            return try WebURL(socket: String(address.dropFirst(5)), path: path)
        } catch {
            Terminal.note(
                "`\(address)` is no address: it \(error); write host:port or unix:/path (--address)"
            )
            throw Outcome.refused.exitCode
        }
    }
    private func token() throws -> String? {
        guard let file = options.tokenFile else {
            return ProcessInfo.processInfo.environment["PHOENIX_ADMIN_TOKEN"]
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            Terminal.note("cannot read \(file); name a file that holds the token")
            throw Outcome.refused.exitCode
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A graph file with its parts, as the admin API takes it.
struct GraphBundle: Encodable {
    var root: String
    var files: [String: String]
}
