import PhoenixWire

/// Why a request was refused whole; a method or path that is not served is no reason, for nobody's metrics are lost there.
enum RequestRefusal: UInt8, Sendable, CaseIterable {
    case malformed, tooLarge, contentType, encoding, http, timeout, busy, memory, stopping

    /// The `reason` of the counter.
    var label: String {
        switch self {
        case .malformed: "malformed"
        case .tooLarge: "too_large"
        case .contentType: "content_type"
        case .encoding: "encoding"
        case .http: "http"
        case .timeout: "timeout"
        case .busy: "busy"
        case .memory: "memory"
        case .stopping: "stopping"
        }
    }
    /// What it means for the sender, and what an operator can do; nil where there is nothing to mend.
    var advice: String? {
        switch self {
        case .malformed:
            "their points are lost: the bodies are no OTLP metrics in the encoding they name; look at the exporter, and "
                + "at proxies on the way"
        case .tooLarge:
            "their points are lost: let the sender make smaller batches, or raise `max_request_bytes`"
        case .contentType:
            "their points are lost: let the sender use application/x-protobuf or application/json, or application/grpc "
                + "over HTTP/2"
        case .encoding: "their points are lost: let the sender compress by gzip, or not at all"
        case .http:
            "their points are lost: this is no HTTP that is taken here; see whether the sender speaks TLS to an address "
                + "without, and how large its headers are"
        case .timeout:
            "their points are lost: the bodies came too slowly; look at the network, or let the sender make smaller "
                + "batches"
        case .busy:
            "senders must try again: what follows this receiver is too slow; `phoenix_node_queue_fill_ratio` says where"
        case .memory:
            "senders must try again: the engine is short of memory; raise `memory_limiter`, or send less"
        case .stopping: nil
        }
    }

    /// Of what the server found; nil for what is no refusal, or not yet one.
    init?(_ problem: HTTPProblem) {
        switch problem {
        case .bodyTooLarge: self = .tooLarge
        case .tooMuchBuffered, .gateTimeout: self = .busy
        case .requestTimeout: self = .timeout
        case .unreadable: self = .http
        case .unanswered: self = .stopping
        // What the handler still holds is counted when it is given up; it may yet be placed.
        case .handlerTimeout, .notFound: return nil
        }
    }
    /// Of what gRPC found.
    init?(_ refusal: GRPCRefusal) {
        switch refusal {
        case .malformed: self = .malformed
        case .tooLarge: self = .tooLarge
        case .contentType: self = .contentType
        case .encoding: self = .encoding
        case .problem(let problem):
            guard let reason = Self(problem) else { return nil }
            self = reason
        }
    }
}
