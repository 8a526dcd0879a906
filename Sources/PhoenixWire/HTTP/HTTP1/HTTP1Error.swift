/// Why bytes are not a request that we take.
///
/// The connection ends after it: where the next request would begin is not certain.
struct HTTP1Error: Error, Equatable {
    let status: Int
    let reason: String

    static func bad(_ reason: String) -> HTTP1Error { HTTP1Error(status: 400, reason: reason) }
    static let headTooLarge = HTTP1Error(status: 431, reason: "the request head is too large")
    static let badVersion = HTTP1Error(status: 505, reason: "only HTTP/1.0, HTTP/1.1 and HTTP/2 are served")
    static let badCoding = HTTP1Error(status: 501, reason: "the only transfer coding served is chunked")
    static let badExpectation = HTTP1Error(status: 417, reason: "the only expectation served is 100-continue")
}
