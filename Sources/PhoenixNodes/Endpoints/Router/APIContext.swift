import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What a route has beside the request: path parameters, and a way to answer in JSON.
struct APIContext: RequestContext {
    struct Source: RequestContextSource { var logger: Logger }
    var coreContext: CoreRequestContextStorage

    init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }

    /// An answer in JSON.
    func json(_ answer: some Encodable, _ status: HTTPTypes.HTTPResponse.Status = .ok) throws -> Response {
        let bytes = try JSONAnswer.encoder.encode(answer)
        return Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    /// A part of the path that the route names, with its escapes read.
    func parameter(_ name: String) throws -> String {
        let raw = try parameters.require(name)
        guard let text = raw.removingPercentEncoding else {
            throw APIError.badRequest("`\(raw)` in the path has a percent sign that begins no escape")
        }
        return text
    }
}

/// Writes answers in JSON, always the same way: keys sorted, slashes as they are.
enum JSONAnswer {
    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity",
            negativeInfinity: "-Infinity",
            nan: "NaN"
        )
        return encoder
    }
}
