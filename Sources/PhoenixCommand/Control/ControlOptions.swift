import ArgumentParser
import Foundation

/// Where a running Phoenix is found, and how its answers are shown.
struct ControlOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }
    static let tokenVariable = "PHOENIX_CONTROL_TOKEN"

    @Option(help: "Where the control API listens: host:port, unix:/path, or a URL.")
    var address = "127.0.0.1:8080"
    @Option(help: "A file that holds the token.")
    var tokenFile: String?
    @Option(help: "How long to wait for an answer.")
    var timeout = DurationArgument(.seconds(10))
    @Option(help: "text for people, json as the API gives it.")
    var format = Format.text

    /// The answer to a request; a refusal or a failure is told on standard error and ends the command.
    func ask(_ request: ControlRequest) async throws -> ControlReply {
        do {
            let client = try ControlClient(address: address, token: try token(), timeout: timeout.duration)
            return try await client.send(request)
        } catch let error as ControlFailure {
            Terminal.note("phoenix mode: \(error.message)")
            throw error.outcome.exitCode
        }
    }

    /// Sends an order, and shows what became of it.
    func order(_ request: ControlRequest) async throws {
        let answer = try await ask(request)
        if format == .json { return try Terminal.say(answer.text) }
        let receipt = try answer.decoded(as: Receipt.self)
        let before = receipt.previous_mode == receipt.current_mode ? "" : " (was \(receipt.previous_mode))"
        try Terminal.say("\(receipt.current_mode)\(before): \(receipt.message)")
    }
    private struct Receipt: Decodable {
        var message: String
        var current_mode: String
        var previous_mode: String
    }

    private func token() throws -> String? {
        guard let tokenFile else { return ProcessInfo.processInfo.environment[Self.tokenVariable] }
        guard let text = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
            throw ControlFailure(
                .refused,
                "cannot read the token from \(tokenFile); is it there, and readable?"
            )
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
