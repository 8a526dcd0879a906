import ArgumentParser

/// `phoenix mode`: asks a running Phoenix for its mode, and tells it another.
struct ModeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mode",
        abstract: "Show the mode of a running Phoenix, hold another, or give it back to the law.",
        discussion: """
            Speaks to the control API of a `mode` controller. A token, where the graph sets one, is read from \
            `--token-file` or from the variable \(ControlOptions.tokenVariable).
            """,
        subcommands: [ModeShow.self, ModeSet.self, ModeClear.self],
        defaultSubcommand: ModeShow.self
    )
}

/// `phoenix mode show`.
struct ModeShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show which mode holds, why, and what the controller sees."
    )
    @OptionGroup var control: ControlOptions

    func run() async throws {
        let answer = try await control.ask(.init("GET", "/api/v1/status"))
        if control.format == .json { return try Terminal.say(answer.text) }
        try Terminal.say(StatusText(try answer.decoded(as: StatusText.Status.self)).text)
    }
}

/// `phoenix mode set`.
struct ModeSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Hold a mode against thresholds and alerts, for a while or until it is cleared."
    )
    @Argument(help: "conservative, balanced or aggressive.")
    var mode: String
    @Option(name: .customLong("for"), help: "How long, such as 10m; until it is cleared if left out.")
    var duration: DurationArgument?
    @Option(help: "Why, for those who see the mode change.")
    var reason: String?
    @OptionGroup var control: ControlOptions

    func validate() throws {
        guard let duration = duration?.duration else { return }
        guard duration >= .seconds(1), duration.components.attoseconds == 0 else {
            throw ValidationError("--for takes whole seconds, from 1s on")
        }
    }
    func run() async throws {
        var members = ["\"mode\":\(JSONLine.quoted(mode))"]
        if let duration { members.append("\"duration_seconds\":\(duration.duration.components.seconds)") }
        if let reason { members.append("\"reason\":\(JSONLine.quoted(reason))") }
        let order = ControlRequest("POST", "/api/v1/control", body: "{\(members.joined(separator: ","))}")
        try await control.order(order)
    }
}

/// `phoenix mode clear`.
struct ModeClear: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "End an override: the law decides again."
    )
    @OptionGroup var control: ControlOptions

    func run() async throws { try await control.order(.init("DELETE", "/api/v1/control")) }
}
