import Hummingbird
import NIOCore
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// The control API of a `mode` controller: HTTP as contracts/openapi/control.yaml says, and the same as gRPC, on one port.
///
/// The node that owns it runs `serve()` beside its work, and closes it when it is to end.
struct ControlAPI: Sendable {
    /// The paths that it serves. Without a token answer only those that say nothing of the system: health and the document.
    static let paths = [
        "/api/v1/control", "/api/v1/status", "/api/v1/history", "/mode", "/anomaly", "/metrics", "/health",
        "/openapi.yaml",
    ]
    private static let openPaths: Set<String> = ["/health", "/openapi.yaml"]
    /// The document that describes it.
    static let document = String(decoding: PackageResources.control_yaml, as: UTF8.self)

    let api: RoutedAPI
    private let service: ControlService

    /// - Parameter token: what callers must show; nil or empty lets everybody in.
    init(_ desk: any ControlDesk, token: Secret? = nil, _ context: NodeContext) {
        let routes = ControlRoutes(desk: desk, version: context.engine.version)
        api = RoutedAPI(time: context.time, logger: context.logger, token: token, routes: routes.add)
        service = ControlService(desk: desk, token: api.token)
    }

    /// What a node that serves it takes of the world, for its `claims`.
    static func claims(_ address: ListenAddress) -> [Claim] {
        paths.map { .listen(address: address.text, protocol: "http", path: $0) }
    }

    /// Claims its paths of an address, for a node.
    func attach(to address: ListenAddress, _ context: NodeContext) {
        for path in Self.paths {
            let purpose = path == "/api/v1/status" ? "the control API" : ""
            let endpoint = api.endpoint(purpose, on: address, isOpen: Self.openPaths.contains(path))
            context.listen(address.text, paths: [path], endpoint)
        }
        // Other paths get an answer of the same kind. Nodes that share the address keep theirs, which are longer.
        context.listen(address.text, paths: ["/*"], api.endpoint(on: address, isOpen: true))
        for (path, method) in service.methods {
            context.listen(address.text, paths: [path], GRPCMethodEndpoint(method))
        }
    }

    /// Answers until `close`.
    func serve() async { await api.serve() }
    func close() { api.close() }
    func reopen() { api.reopen() }
}

/// What each path does.
private struct ControlRoutes: Sendable {
    let desk: any ControlDesk
    let version: String

    func add(to router: Router<APIContext>) {
        router.post("api/v1/control", use: order)
        router.delete("api/v1/control") { _, context in try answer(desk.clear(), context) }
        router.get("api/v1/control") { _, context in try context.json(HeldAnswer(desk.status)) }
        router.get("api/v1/status") { _, context in try context.json(StatusAnswer(desk.status)) }
        router.get("api/v1/history") { request, context in
            let limit = try request.number("limit", in: OrderLimits.history) ?? OrderLimits.historyDefault
            return try context.json(HistoryAnswer(desk.history(limit)))
        }
        router.get("openapi.yaml") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/yaml"],
                body: .init(byteBuffer: ByteBuffer(string: ControlAPI.document))
            )
        }
        addOlder(to: router)
    }

    /// Paths of the old system.
    private func addOlder(to router: Router<APIContext>) {
        router.get("health") { _, context in try context.json(HealthAnswer(version: version)) }
        router.get("mode") { _, context in try context.json(mode()) }
        router.post("mode", use: setMode)
        router.post("anomaly") { request, context in
            let report = try await request.read(AnomalyBody.self).report()
            let receipt = desk.report(report)
            guard receipt.success else { throw APIError(.conflict, receipt.message) }
            return try context.json(AnomalyAnswer(anomaly_id: report.id))
        }
        router.get("metrics", use: metrics)
    }

    private func order(_ request: Request, _ context: APIContext) async throws -> Response {
        let order = try await request.read(ControlOrder.self)
        let receipt = desk.override(
            try OrderLimits.mode(order.mode),
            for: try OrderLimits.duration(order.durationSeconds?.value),
            reason: try OrderLimits.reason(order.reason, else: "asked for over the control API")
        )
        return try answer(receipt, context)
    }
    /// An order that could not be taken is in conflict with how things stand; the receipt says why.
    private func answer(_ receipt: ControlReceipt, _ context: APIContext) throws -> Response {
        try context.json(ControlAnswer(receipt), receipt.success ? .ok : .conflict)
    }

    private func setMode(_ request: Request, _ context: APIContext) async throws -> Response {
        let order = try await request.read(ModeOrder.self)
        let receipt = desk.override(
            try OrderLimits.mode(order.mode),
            for: nil,
            reason: try OrderLimits.reason(order.reason, else: "asked for by /mode")
        )
        guard receipt.success else { throw APIError(.conflict, receipt.message) }
        return try context.json(mode("success"))
    }
    private func mode(_ word: String? = nil) -> ModeAnswer {
        let status = desk.status
        return ModeAnswer(
            status: word,
            mode: status.mode.rawValue,
            reason: status.reason,
            version: status.version,
            correlation_id: status.correlationID
        )
    }

    private func metrics(_ request: Request, _ context: APIContext) throws -> Response {
        let status = desk.status
        let accept = request.headers[.accept] ?? ""
        if accept.lowercased().contains("application/json") {
            return try context.json(MetricsAnswer(status))
        }
        let dialect = ExpositionDialect.negotiated(accept: accept)
        let bytes = PlainFamily.exposition(ControlFamilies(status: status).all, as: dialect.format)
        return Response(
            status: .ok,
            headers: [.contentType: dialect.contentType],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}
