import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PhoenixWire

@testable import PhoenixNodes

/// Requests and answers as text, in order, with the same desk behind all of them.
///
/// A request is `> METHOD PATH`, then its fields and its body, each behind `>`; the answer is `< STATUS TYPE`, then fields
/// that the server itself does not add, and the body.
struct Transcript {
    struct Turn {
        var request: [String]
        var answer: [String]
    }
    var turns: [Turn] = []

    init(_ text: String) {
        for line in text.split(separator: "\n").map(String.init) where !line.hasPrefix("#") {
            if line.hasPrefix("> ") {
                if turns.isEmpty || !(turns.last?.answer.isEmpty ?? true) {
                    turns.append(Turn(request: [], answer: []))
                }
                turns[turns.count - 1].request.append(String(line.dropFirst(2)))
            } else if line.hasPrefix("< "), !turns.isEmpty {
                turns[turns.count - 1].answer.append(String(line.dropFirst(2)))
            }
        }
    }

    static func read(_ name: String) throws -> Transcript {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Transcripts/\(name).txt")
        return Transcript(try String(contentsOf: file, encoding: .utf8))
    }

    /// The request of a turn; its body is what begins with a brace or a bracket, or stands behind `body:`.
    static func request(_ lines: [String]) -> Request? {
        let words = lines[0].split(separator: " ")
        guard words.count == 2, let method = HTTPTypes.HTTPRequest.Method(String(words[0])) else {
            return nil
        }
        var fields = HTTPTypes.HTTPFields()
        var body = ""
        for line in lines.dropFirst() {
            if line.hasPrefix("body:") {
                body = String(line.dropFirst(5))
            } else if let colon = line.firstIndex(of: ":"), !line.hasPrefix("{"), !line.hasPrefix("["),
                let name = HTTPField.Name(String(line[..<colon]))
            {
                fields[name] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            } else {
                body = line
            }
        }
        let head = HTTPTypes.HTTPRequest(
            method: method,
            scheme: "http",
            authority: "127.0.0.1:8080",
            path: String(words[1]),
            headerFields: fields
        )
        return Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body)))
    }

    static func lines(_ response: PhoenixWire.HTTPResponse) -> [String] {
        var lines = ["\(response.status) \(response.fields["content-type"] ?? "")"]
        for index in 0..<response.fields.count {
            let (name, value) = response.fields[index: index]
            if name != "content-type" { lines.append("\(name): \(value)") }
        }
        let body =
            switch response.body {
            case .bytes(let buffer): String(buffer: buffer)
            case .buffers(let buffers): buffers.map { String(buffer: $0) }.joined()
            case .empty, .stream: ""
            }
        return lines + body.split(separator: "\n").map(String.init)
    }
}
