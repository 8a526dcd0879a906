import ArgumentParser
import AsyncHTTPClient
import Foundation

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
            struct Plan: Decodable {
                struct Node: Decodable { var node, action, forgets: String; var settings: [String] }
                struct Served: Decodable { var address, path: String }
                var nodes: [Node]
                var linked, unlinked, settings: [String]
                var opened, closed: [Served]
            }
            struct Record: Decodable {
                var outcome: String
                var generation: Int
                var duration_seconds: Double
            }
            var plan: Plan
            var reload: Record?
        }
        private struct Refused: Decodable {
            struct Entry: Decodable { var file, message, remedy: String; var line, column: Int }
            var error: String
            var diagnostics: [Entry]?
        }

        /// The plan for people, as it came.
        var planText: String {
            guard let listed = try? JSONDecoder().decode(Listed.self, from: Data(body.utf8)) else { return body }
            let plan = listed.plan
            var lines = plan.nodes.filter { $0.action != "keep" }.map { node in
                let names = node.settings.isEmpty ? "" : " (\(node.settings.joined(separator: ", ")))"
                return "\(node.node): \(node.action)\(names)" + (node.forgets.isEmpty ? "" : "; forgets: \(node.forgets)")
            }
            lines += plan.linked.map { "+ link \($0)" } + plan.unlinked.map { "- link \($0)" }
            lines += plan.opened.map { "+ serve \($0.address) \($0.path)" }
            lines += plan.closed.map { "- serve \($0.address) \($0.path)" } + plan.settings.map { "~ \($0): changed" }
            if lines.isEmpty { lines = ["nothing changes"] }
            if let reload = listed.reload {
                lines.append("\(reload.outcome), generation \(reload.generation), \(reload.duration_seconds) s")
            }
            return lines.joined(separator: "\n")
        }
        /// Tells why it was refused, and how the program ends.
        func exit() -> ExitCode {
            if let refused = try? JSONDecoder().decode(Refused.self, from: Data(body.utf8)) {
                let entries = refused.diagnostics ?? []
                let lines = entries.map { "\($0.file):\($0.line):\($0.column): error: \($0.message); \($0.remedy)" }
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
        var request = HTTPClientRequest(url: try url(query))
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
                "no answer from \(options.address): \(error); is the instance running, and is `engine.admin` its address?"
            )
            throw Outcome.notStarted.exitCode
        }
    }
    private func answer(to request: HTTPClientRequest) async throws -> Answer {
        try await HTTPClient.withHTTPClient(configuration: .tryingOnce) { client in
            let response = try await client.execute(request, timeout: .minutes(5))
            let body = try await response.body.collect(upTo: 64 << 20)
            return Answer(status: Int(response.status.code), body: String(decoding: body.readableBytesView, as: UTF8.self))
        }
    }
    private func url(_ query: String) throws -> String {
        let path = "/api/v1/graph?\(query)"
        guard options.address.hasPrefix("unix:") else { return "http://\(options.address)\(path)" }
        let socket = options.address.dropFirst(5).addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "http+unix://\(socket)\(path)"
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
