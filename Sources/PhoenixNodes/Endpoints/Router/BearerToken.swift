import PhoenixGraph

/// The token that callers of an API must show (RFC 6750).
struct BearerToken: Sendable {
    private let digest: [UInt8]

    /// Nil for an empty secret: `${env:NAME:-}` stands for no token.
    init?(_ secret: Secret) {
        guard !secret.value.isEmpty else { return nil }
        digest = Self.digest(secret.value)
    }

    /// Nil lets the caller in.
    func refusal(of authorization: String?) -> APIError? {
        guard let authorization else {
            return Self.challenge("send the token of this API as `Authorization: Bearer …`", "")
        }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            return Self.challenge("send the token as `Authorization: Bearer …`, no other scheme", "")
        }
        guard admits(String(parts[1].drop { $0 == " " })) else {
            return Self.challenge("this is not the token of this API", #", error="invalid_token""#)
        }
        return nil
    }

    /// Takes as long for a wrong token as for the right one: digests are compared, and all of them.
    func admits(_ token: String) -> Bool {
        var difference: UInt8 = 0
        for (left, right) in zip(digest, Self.digest(token)) { difference |= left ^ right }
        return difference == 0
    }

    private static func digest(_ token: String) -> [UInt8] { Array(SHA256.hexadecimal(token.utf8).utf8) }
    private static func challenge(_ message: String, _ parameters: String) -> APIError {
        APIError(
            .unauthorized,
            message,
            fields: ["www-authenticate": #"Bearer realm="phoenix"\#(parameters)"#]
        )
    }
}
