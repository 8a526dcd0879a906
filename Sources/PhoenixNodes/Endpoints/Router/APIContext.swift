import Foundation
import Hummingbird
import Logging

/// What a route has beside the request: path parameters, and how JSON is written.
struct APIContext: RequestContext {
    struct Source: RequestContextSource { var logger: Logger }
    var coreContext: CoreRequestContextStorage

    init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }

    var responseEncoder: JSONEncoder { JSONAnswer.encoder }

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
