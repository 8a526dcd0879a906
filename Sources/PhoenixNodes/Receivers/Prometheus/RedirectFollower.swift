import Foundation
import PhoenixGraph

/// A client that goes where answers lead it, five times at most, and by checked addresses only.
///
/// Its deadline is that of the whole: whoever asks races `get` against it. Source: RFC 9110, section 15.4; what goes to
/// another origin is what Go's client sends there, as in Prometheus.
struct RedirectFollower: ScrapeClient {
    static let limit = 5
    let client: any ScrapeClient

    func get(_ request: ScrapeRequest) async throws -> ScrapeResponse {
        var request = request
        for _ in 0...Self.limit {
            let response = try await client.get(request)
            guard let location = response.redirection else { return response }
            request = try request.redirected(to: location)
        }
        throw ScrapeProblem.redirects(limit: Self.limit)
    }
}

extension ScrapeResponse {
    /// Where the answer leads to; nil where it leads nowhere.
    fileprivate var redirection: String? {
        guard [301, 302, 303, 307, 308].contains(status), let location = headers["location"],
            !location.isEmpty
        else { return nil }
        return location
    }
}

extension ScrapeRequest {
    /// Headers by which one server knows who asks, and another must not.
    private static let credentials: Set = [
        "authorization", "cookie", "cookie2", "proxy-authorization", "www-authenticate",
    ]

    /// The same request to the address of an answer's `Location`, which may be relative to this one's.
    fileprivate func redirected(to location: String) throws(ScrapeProblem) -> ScrapeRequest {
        guard let base = URL(string: url), let next = URL(string: location, relativeTo: base) else {
            throw .redirect(.characters)
        }
        var request = self
        do throws(WebURL.Flaw) {
            let (here, there) = (try WebURL(url), try WebURL(next.absoluteString))
            request.url = there.text
            if here.origin != there.origin {
                request.headers = headers.filter { !Self.credentials.contains($0.key.lowercased()) }
            }
        } catch { throw .redirect(error) }
        return request
    }
}
