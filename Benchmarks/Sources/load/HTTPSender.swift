/// Sends requests and waits for their answers.
protocol Sender {
    func send(_ body: [UInt8]) throws
    /// Waits until all that was sent is answered, and requires that everything was taken.
    func finish() throws
}

/// Requests on one kept-alive HTTP/1.1 connection.
final class HTTPSender: Sender {
    private let connection: Connection
    init(port: UInt16) throws {
        connection = try Connection(port: port)
        connection.isEager = true
    }

    func send(_ body: [UInt8]) throws {
        let head =
            "POST /v1/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        try connection.write(Array(head.utf8) + body)
    }
    func finish() throws {
        var answer: [UInt8] = []
        while true {
            guard let more = try connection.read() else {
                throw LoadError("the server closed the connection")
            }
            answer += more
            let text = String(decoding: answer, as: UTF8.self)
            guard text.contains("\r\n\r\n") else { continue }
            guard text.hasPrefix("HTTP/1.1 200"), text.lowercased().contains("content-length: 0") else {
                throw LoadError("not taken: \(text)")
            }
            return
        }
    }
}
