import AsyncHTTPClient

extension HTTPClient.Configuration {
    /// Where nobody listens is said at once, not tried again until the time is over; redirections are not followed.
    static var tryingOnce: Self {
        var configuration = Self()
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
