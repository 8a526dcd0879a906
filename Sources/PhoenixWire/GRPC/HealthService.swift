import PhoenixModel

/// `grpc.health.v1.Health`: what a caller may expect of each service (grpc/doc/health-checking.md).
public final class HealthService: Sendable {
    /// How a service is.
    public enum Status: UInt8, Sendable {
        case unknown, serving, notServing, serviceUnknown
    }
    private struct Watch {
        var service: String
        var responder: GRPCResponder
        var last: Status
    }
    private struct State {
        var services: [String: Status] = ["": .serving]
        var watches: [Watch] = []
        var isStopped = false
    }
    private let state = Lock(State())

    /// Watches at once; more are refused with RESOURCE_EXHAUSTED.
    public static let watchLimit = 1024

    /// Knows the server as a whole, under the empty name, as serving.
    public init() {}

    /// The methods, for `RouteTable.Routes.grpc`.
    public var methods: [String: any GRPCMethod] {
        [
            "/grpc.health.v1.Health/Check": Check(health: self),
            "/grpc.health.v1.Health/Watch": WatchMethod(health: self),
        ]
    }

    /// Says how a service is; watchers hear of a change.
    ///
    /// The empty name is the server as a whole.
    public func set(service: String, status: Status) {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.services[service] = status
            state.watches.removeAll { $0.responder.isPeerGone }
            for index in state.watches.indices
            where state.watches[index].service == service && state.watches[index].last != status {
                state.watches[index].last = status
                // Inside the lock, so that a watcher hears of changes in their order; sending only queues.
                Self.tell(state.watches[index].responder, status)
            }
        }
    }

    /// Everything is NOT_SERVING from now on, and watches end: before a graceful close.
    public func stop() {
        let watches = state.withLock { state in
            state.isStopped = true
            state.services = state.services.mapValues { _ in .notServing }
            defer { state.watches = [] }
            return state.watches
        }
        for watch in watches {
            Self.tell(watch.responder, .notServing)
            watch.responder.finish(GRPCStatus(.unavailable, "the server is shutting down"))
        }
    }

    private func status(_ service: String) -> Status? { state.withLock { $0.services[service] } }

    private func watch(_ service: String, _ responder: GRPCResponder) {
        state.withLock { state in
            state.watches.removeAll { $0.responder.isPeerGone }
            guard state.watches.count < Self.watchLimit, !state.isStopped else {
                return responder.fail(
                    GRPCStatus(.resourceExhausted, "too many watches, or the server is shutting down")
                )
            }
            let status = state.services[service] ?? .serviceUnknown
            state.watches.append(Watch(service: service, responder: responder, last: status))
            Self.tell(responder, status)
        }
    }

    private static func tell(_ responder: GRPCResponder, _ status: Status) {
        if !responder.send(encode(status)) {
            responder.finish(GRPCStatus(.resourceExhausted, "the watch is not read"))
        }
    }

    /// `HealthCheckResponse { status = 1 }`; zero is not written.
    private static func encode(_ status: Status) -> [UInt8] {
        status == .unknown ? [] : [0x08, status.rawValue]
    }

    private struct Check: GRPCMethod {
        let health: HealthService
        var messageLimit: Int { 64 << 10 }
        func handle(_ call: GRPCCall, message: UnsafeRawBufferPointer, _ responder: GRPCResponder) {
            guard let service = HealthRequest.service(message) else {
                return responder.fail(HealthRequest.malformed)
            }
            guard let status = health.status(service) else {
                return responder.fail(GRPCStatus(.notFound, "no service \(service) is known here"))
            }
            responder.respond(HealthService.encode(status))
        }
    }

    private struct WatchMethod: GRPCMethod {
        let health: HealthService
        var messageLimit: Int { 64 << 10 }
        func handle(_ call: GRPCCall, message: UnsafeRawBufferPointer, _ responder: GRPCResponder) {
            guard let service = HealthRequest.service(message) else {
                return responder.fail(HealthRequest.malformed)
            }
            health.watch(service, responder)
        }
    }
}

/// `HealthCheckRequest { service = 1 }`.
enum HealthRequest {
    static let malformed = GRPCStatus(.internal, "the request is not a grpc.health.v1.HealthCheckRequest")

    /// The name asked for, skipping fields we do not know; nil if it is not protobuf.
    static func service(_ bytes: UnsafeRawBufferPointer) -> String? {
        var at = 0
        var service = ""
        while at < bytes.count {
            guard let tag = varint(bytes, &at) else { return nil }
            switch tag & 7 {
            case 0: guard varint(bytes, &at) != nil else { return nil }
            case 1: at += 8
            case 2:
                guard let length = varint(bytes, &at), length <= UInt64(bytes.count - at) else { return nil }
                let end = at + Int(length)
                if tag >> 3 == 1 {
                    guard let text = String(validating: bytes[at..<end], as: UTF8.self) else { return nil }
                    service = text
                }
                at = end
            case 5: at += 4
            default: return nil
            }
        }
        return at == bytes.count ? service : nil
    }

    private static func varint(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard at < bytes.count else { return nil }
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
