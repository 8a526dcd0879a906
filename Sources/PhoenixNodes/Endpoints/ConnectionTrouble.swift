import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix

/// Why a request of ours got no answer, in words for people.
package struct ConnectionTrouble: CustomStringConvertible {
    package let description: String

    package init(_ error: any Error) {
        switch error {
        case let error as IOError:
            // The error's own words name the system call that found it, and not what it is.
            description = String(cString: strerror(error.errnoCode)).lowercased()
        case let error as NIOConnectionError:
            description =
                error.connectionErrors.first.map { Self($0.error).description }
                ?? "no address is known for `\(error.host)`"
        case let error as HTTPClientError: description = Self.words(error)
        default: description = "\(error)"
        }
    }

    private static func words(_ error: HTTPClientError) -> String {
        if error == .remoteConnectionClosed { return "the connection was closed before the answer was whole" }
        if error == .connectTimeout { return "no connection in time" }
        if error == .deadlineExceeded || error == .readTimeout { return "no whole answer in time" }
        return error.shortDescription
    }
}
