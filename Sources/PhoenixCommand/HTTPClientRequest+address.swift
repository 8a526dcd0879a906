import AsyncHTTPClient
import PhoenixGraph

extension HTTPClientRequest {
    /// A request to an address that was looked at. Behind a unix socket there is no host, and HTTP/1.1 wants one all the
    /// same: this machine's.
    init(to address: WebURL) {
        self.init(url: address.text)
        if address.isSocket { headers.add(name: "host", value: "localhost") }
    }
}
