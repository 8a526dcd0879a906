import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// The admin API: the running graph is shown, and changed.
///
/// `GET /api/v1/graph` shows it with its generation and the last changes. `PUT /api/v1/graph` takes a graph file in YAML,
/// or one with its parts as JSON `{"root": "graph.yaml", "files": {"graph.yaml": "…"}}`; an empty body reads the file of
/// the engine anew. `?dry_run=true` answers the plan alone, `?settled=true` waits for the end of the probation.
struct AdminAPI: Sendable {
    static let path = "/api/v1/graph"
    /// Of a graph file, or of one with its parts.
    private static let mostBytes = 16 << 20
    private struct Sent: Decodable {
        var root: String
        var files: [String: String]
    }
    let routed: RoutedAPI

    /// - Parameter engine: who is shown and changed; nil once it is gone.
    init(
        _ engine: @escaping @Sendable () -> Engine?,
        _ settings: AdminSettings,
        time: any TimeSource,
        logger: Logger
    ) {
        var limits = RoutedAPI.Limits()
        limits.bodyBytes = Self.mostBytes
        // A change has deadlines of its own: a caller that gives up would not end it.
        limits.deadline = .seconds(3600)
        routed = RoutedAPI(time: time, logger: logger, token: settings.token, limits: limits) { router in
            router.get("api/v1/graph") { _, _ in
                guard let engine = engine() else { throw APIError.stopping }
                return Self.answer(.ok, await GraphStatus(engine).tree)
            }
            router.put("api/v1/graph") { request, _ in
                guard let engine = engine() else { throw APIError.stopping }
                return try await Self.put(request, engine)
            }
        }
    }

    func attach(to addresses: [ListenAddress], _ listeners: Listeners) {
        for address in addresses {
            listeners.attach(
                address.text,
                paths: [Self.path],
                routed.endpoint("the graph: GET shows it, PUT changes it", on: address),
                owner: EngineEndpoints.owner
            )
        }
    }

    private static func put(_ request: Request, _ engine: Engine) async throws -> Response {
        let body = try await request.body.collect(upTo: mostBytes)
        let text = String(buffer: body)
        let isJSON = request.headers[.contentType]?.hasPrefix("application/json") ?? false
        let sent = isJSON && !text.isEmpty ? try bundle(text) : nil
        let origin = engine.origin
        let read = { @Sendable () throws(GraphRefusal) -> LoadedGraph in
            if let sent { return try origin.readSent(sent.root, sent.files) }
            return text.isEmpty ? try origin.read() : try origin.readSent(origin.path, [origin.path: text])
        }
        let (isDry, isSettled) = (try flag("dry_run", request), try flag("settled", request))
        // A misspelt `dry_run` must not change the graph.
        for (name, _) in request.uri.queryParameters where name != "dry_run" && name != "settled" {
            throw APIError.badRequest("`\(name)` is not known; there are `dry_run` and `settled`")
        }
        do {
            if isDry {
                return answer(.ok, JSONText.object([("plan", try await engine.plan(read).tree)]))
            }
            let report = try await engine.reload(to: read, origin: "api", settled: isSettled)
            return answer(
                .ok,
                .object([("plan", report.plan.tree), ("reload", GraphStatus.tree(report.record))])
            )
        } catch let refusal as GraphRefusal {
            return answer(.unprocessableContent, GraphStatus.tree(refusal))
        } catch ReloadError.busy {
            throw APIError(.conflict, ReloadError.busy.description, fields: ["retry-after": "1"])
        } catch let error as ReloadError {
            throw APIError(.serviceUnavailable, error.description, fields: ["retry-after": "1"])
        } catch let failure as ReloadFailure {
            return answer(.internalServerError, GraphStatus.tree(failure))
        }
    }
    private static func bundle(_ text: String) throws -> Sent {
        let remedy =
            #"send {"root": "graph.yaml", "files": {"graph.yaml": "…"}}, or YAML as application/yaml"#
        guard let sent = try? JSONDecoder().decode(Sent.self, from: Data(text.utf8)) else {
            throw APIError.badRequest("the body is not a graph with its files: \(remedy)")
        }
        guard sent.files[sent.root] != nil else {
            throw APIError.badRequest("`files` has no `\(sent.root)`, which `root` names: \(remedy)")
        }
        return sent
    }
    private static func flag(_ name: String, _ request: Request) throws -> Bool {
        switch request.uri.queryParameters[Substring(name)] {
        case nil, "false": return false
        case "true", "": return true
        default: throw APIError.badRequest("`\(name)` must be true or false")
        }
    }
    private static func answer(_ status: HTTPTypes.HTTPResponse.Status, _ tree: JSONText) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: tree.written() + "\n"))
        )
    }
}
