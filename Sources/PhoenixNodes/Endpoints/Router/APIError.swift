import HTTPTypes
import Hummingbird
import PhoenixModel
import PhoenixWire

/// Why an API refuses a request: thrown by a route, answered as `{"error": "what, and how to mend it"}`.
struct APIError: Error, Sendable, Equatable {
    var status: HTTPTypes.HTTPResponse.Status
    var message: String
    /// Further fields of the answer.
    var fields: [String: String]
    /// No route has the path and method: what is said depends on what other methods the path has.
    private(set) var isUnrouted = false

    init(_ status: HTTPTypes.HTTPResponse.Status, _ message: String, fields: [String: String] = [:]) {
        (self.status, self.message, self.fields) = (status, message, fields)
    }

    static func badRequest(_ message: String) -> Self { Self(.badRequest, message) }
    /// Too many requests wait.
    static let busy = later("too many requests at once; try again")
    /// The owner takes no requests now.
    static let stopping = later("this API takes no requests now; try again")
    static let tooSlow = later("the request was not answered in time; try again")
    static let failed = Self(.internalServerError, "the answer could not be made; the log says why")

    private static func later(_ message: String) -> Self {
        Self(.serviceUnavailable, message, fields: ["retry-after": "1"])
    }

    /// An error of the router.
    init(_ error: HTTPError) {
        var fields: [String: String] = [:]
        for field in error.headers { fields[field.name.canonicalName] = field.value }
        self.init(error.status, error.body ?? error.status.reasonPhrase, fields: fields)
        isUnrouted = error.status == .notFound && error.body == nil
    }
    /// What the server found.
    init(_ problem: HTTPProblem) {
        self.init(.init(code: problem.status), problem.message)
        if problem.status == 503 { fields["retry-after"] = "1" }
    }

    var response: PhoenixWire.HTTPResponse {
        var response = PhoenixWire.HTTPResponse.bytes(
            status.code,
            type: "application/json",
            Array(#"{"error":\#(AttributeValue.string(message).json)}"#.utf8)
        )
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { response.fields.append(name, value) }
        return response
    }
}
