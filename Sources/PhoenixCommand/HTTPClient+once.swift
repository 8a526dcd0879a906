import AsyncHTTPClient

extension HTTPClient.Configuration {
    /// Where nobody listens is said at once, not tried again until the time is over.
    static var tryingOnce: Self {
        var configuration = Self()
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
