import HTTPTypes
import PhoenixModel
import PhoenixWire
import SwiftProtobuf

/// `phoenix.control.v1.ControlService` over a desk.
///
/// A desk answers at once, so calls are answered on the event loop.
struct ControlService: Sendable {
    static let name = "phoenix.control.v1.ControlService"
    let desk: any ControlDesk
    let token: BearerToken?

    /// The methods by their paths.
    var methods: [String: any GRPCMethod] {
        let desk = desk
        return [
            "/\(Self.name)/Control": unary { try Self.control($0, desk) },
            "/\(Self.name)/ClearControl": unary { (_: Phoenix_Control_V1_ClearControlRequest) in
                try Phoenix_Control_V1_ControlResponse(desk.clear())
            },
            "/\(Self.name)/GetStatus": unary { (_: Phoenix_Control_V1_StatusRequest) in
                Phoenix_Control_V1_StatusResponse(desk.status)
            },
            "/\(Self.name)/GetHistory": unary { try Self.history($0, desk) },
        ]
    }
    private func unary<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ answer: @escaping @Sendable (Request) throws -> Response
    ) -> UnaryMethod<Request, Response> {
        UnaryMethod(token: token, answer: answer)
    }

    private static func control(
        _ request: Phoenix_Control_V1_ControlRequest,
        _ desk: any ControlDesk
    ) throws -> Phoenix_Control_V1_ControlResponse {
        guard let mode = Mode(request.mode) else {
            throw APIError.badRequest(
                "`mode` must be OPTIMIZATION_MODE_CONSERVATIVE, _BALANCED or _AGGRESSIVE"
            )
        }
        let seconds = request.hasDurationSeconds ? Int(clamping: request.durationSeconds) : nil
        let receipt = desk.override(
            mode,
            for: try OrderLimits.duration(seconds),
            reason: try OrderLimits.reason(request.reason, else: "asked for over gRPC")
        )
        return try Phoenix_Control_V1_ControlResponse(receipt)
    }
    private static func history(
        _ request: Phoenix_Control_V1_HistoryRequest,
        _ desk: any ControlDesk
    ) throws -> Phoenix_Control_V1_HistoryResponse {
        let limit = request.hasLimit ? Int(request.limit) : OrderLimits.historyDefault
        guard OrderLimits.history.contains(limit) else {
            throw APIError.badRequest(
                "`limit` must be from \(OrderLimits.history.lowerBound) to \(OrderLimits.history.upperBound)"
            )
        }
        var response = Phoenix_Control_V1_HistoryResponse()
        response.decisions = desk.history(limit).map { Phoenix_Control_V1_Decision($0) }
        return response
    }
}

/// A method of one message each way that is answered at once.
struct UnaryMethod<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>: GRPCMethod {
    let token: BearerToken?
    /// Throws `APIError` for what cannot be done.
    let answer: @Sendable (Request) throws -> Response
    var messageLimit: Int { 64 << 10 }

    func admit(_ head: HTTPRequestHead, loop: Int) -> GRPCStatus? {
        token?.refusal(of: head.fields["authorization"]).map(GRPCStatus.init)
    }
    func handle(_ call: GRPCCall, message: UnsafeRawBufferPointer, _ responder: GRPCResponder) {
        guard let request = try? Request(serializedBytes: Array(message)) else {
            let name = Request.protoMessageName
            return responder.fail(GRPCStatus(.invalidArgument, "the request is not a \(name)"))
        }
        do {
            responder.respond(try answer(request).serializedBytes())
        } catch let error as APIError {
            responder.fail(GRPCStatus(error))
        } catch {
            responder.fail(GRPCStatus(.internal, "the answer could not be made: \(error)"))
        }
    }
}

extension GRPCStatus {
    /// The same refusal in gRPC's words.
    init(_ error: APIError) {
        let code: Code =
            switch error.status.code {
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .notFound
            case 409: .failedPrecondition
            case 503: .unavailable
            case 400..<500: .invalidArgument
            default: .internal
            }
        self.init(code, error.message)
    }
}
