import Foundation
import Hummingbird
import NIOCore
import PhoenixGraph

/// A request body in JSON, as a route takes it.
protocol APIBody: Decodable {
    associatedtype CodingKeys: CodingKey, CaseIterable
    /// What to write, for those who wrote something else.
    static var example: String { get }
    /// Whether members that are not known are passed over, not refused: only where older callers send such.
    static var takesMore: Bool { get }
}

extension APIBody {
    static var takesMore: Bool { false }
    static var members: [String] { CodingKeys.allCases.map(\.stringValue) }
}

extension Request {
    /// Reads the body; every way in which it can be wrong is an `APIError` that says how to mend it.
    func read<Body: APIBody>(_ type: Body.Type) async throws -> Body {
        try checkMediaType()
        let bytes = try await body.collect(upTo: .max)
        let data = Data(bytes.readableBytesView)
        let wanted = "send JSON such as \(Body.example)"
        guard !data.isEmpty else { throw APIError.badRequest("the body is empty: \(wanted)") }
        let members: [String: Passed]
        do {
            members = try JSONDecoder().decode([String: Passed].self, from: data)
        } catch DecodingError.typeMismatch(_, _) {
            throw APIError.badRequest("the body is JSON, but no object: \(wanted)")
        } catch { throw APIError.badRequest("the body is not JSON: \(wanted)") }
        if !Body.takesMore, let stray = members.keys.sorted().first(where: { !Body.members.contains($0) }) {
            let remedy = Suggestion.remedy(for: stray, among: Body.members)
            throw APIError.badRequest("there is no `\(stray.prefix(64))` here; \(remedy)")
        }
        do { return try JSONDecoder().decode(Body.self, from: data) } catch let error as DecodingError {
            throw APIError.badRequest("\(error.inWords); \(wanted)")
        }
    }

    /// JSON under its own name or none, and what `curl -d` calls it.
    private func checkMediaType() throws {
        guard let written = headers[.contentType] else { return }
        let type = written.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        let isTaken =
            type == "application/json" || type == "application/x-www-form-urlencoded"
            || (type.hasPrefix("application/") && type.hasSuffix("+json"))
        guard isTaken else {
            throw APIError(.unsupportedMediaType, "send JSON as application/json, not as \(type.prefix(64))")
        }
    }

    /// A whole number of the query; nil where it is not given.
    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = uri.queryParameters[Substring(name)] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw APIError.badRequest(
                "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }
}

/// A value that is not looked at.
private struct Passed: Decodable {
    init(from decoder: any Decoder) {}
}

/// A whole number of a request, also where it is written `10.0`.
///
/// Foundation's decoder would call a number that is none "not valid JSON", without its place.
struct WholeNumber: Decodable, Sendable {
    var value: Int
    init(from decoder: any Decoder) throws {
        guard let number = try? decoder.singleValueContainer().decode(Double.self),
            let value = Int(exactly: number)
        else {
            throw DecodingError.typeMismatch(
                Int.self,
                .init(codingPath: decoder.codingPath, debugDescription: "no whole number")
            )
        }
        self.value = value
    }
}

extension DecodingError {
    /// What is wrong and where, without the decoder's own types.
    var inWords: String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the body" : "`\(path.map(\.stringValue).joined(separator: "."))`"
        }
        switch self {
        case .keyNotFound(let key, let context):
            return "\(place(context.codingPath + [key])) is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "\(place(context.codingPath)) must be \(Self.name(of: type))"
        // That it is JSON was seen before.
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            return "a number in the body is too large"
        case .dataCorrupted(let context):
            return "\(place(context.codingPath)) cannot be read: \(context.debugDescription)"
        @unknown default: return "the body cannot be read"
        }
    }
    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is any Sequence.Type: "a list"
        default: "an object"
        }
    }
}
