import Foundation
public import PhoenixGraph

/// `http_sd_configs`: an address that answers groups of targets in JSON.
public struct HTTPDiscoveryConfig: ObjectValue {
    public var url = Secret("")
    public var refreshInterval = Duration.seconds(60)
    public init() {}
    public static let fields: [Field<HTTPDiscoveryConfig>] = [
        Field("url", \.url, required: true, "Where the groups are asked for."),
        Field(
            "refresh_interval",
            \.refreshInterval,
            in: .milliseconds(100)...(.seconds(86_400)),
            "The time between two questions."
        ),
    ]
    public func check(_ marks: FieldMarks, _ report: inout Report) {
        WebURL.check(url, "url", at: marks["url"], &report)
    }
}

/// Asks for targets over HTTP; an answer that is none keeps what was known.
struct HTTPDiscovery: TargetDiscovery {
    private let config: HTTPDiscoveryConfig
    private var known: [ScrapeGroup]?
    private static let bodyLimit = 4 << 20
    var interval: Duration { config.refreshInterval }
    /// The address as logs and labels may have it.
    private var shownURL: String { WebURL.shown(config.url.value) }

    init(_ config: HTTPDiscoveryConfig) { self.config = config }

    mutating func look(_ world: DiscoveryWorld) async throws -> [ScrapeGroup]? {
        do throws(GroupsProblem) {
            let groups = try await ask(world)
            guard groups != known else { return nil }
            known = groups
            return groups
        } catch {
            if !world.stop.isRaised { world.warn("\(shownURL): \(error)") }
            return nil
        }
    }
    private func ask(_ world: DiscoveryWorld) async throws(GroupsProblem) -> [ScrapeGroup] {
        let request = ScrapeRequest(
            url: config.url.value,
            headers: [
                "accept": "application/json", "user-agent": "phoenix/\(Version.current)",
                "x-prometheus-refresh-interval-seconds": config.refreshInterval.secondsText,
            ],
            bodyLimit: Self.bodyLimit,
            timeout: min(config.refreshInterval, .seconds(30))
        )
        let response: ScrapeResponse
        do {
            guard let answer = try await world.client.get(request, unless: world.stop, world.context.time)
            else { return known ?? [] }
            response = answer
        } catch ScrapeProblem.tooLarge(let limit) {
            let most = ByteCount(limit).text
            throw GroupsProblem(description: "answered more than \(most); name fewer targets there")
        } catch { throw GroupsProblem(description: "\(error)") }
        guard response.status == 200 else {
            throw GroupsProblem(description: "answered \(response.status), not 200")
        }
        let type = (response.headers["content-type"] ?? "").prefix { $0 != ";" }.lowercased()
        guard type == "application/json" else {
            throw GroupsProblem(description: "answered `\(type)`, not application/json")
        }
        let groups = try GroupsProblem.groups(inJSON: Data(response.body)).get()
        return groups.map { group in
            var group = group
            group.labels["__meta_url"] = shownURL
            return group
        }
    }
}
