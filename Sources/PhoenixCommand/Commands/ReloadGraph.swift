import ArgumentParser

/// `phoenix reload`: a running instance reads its graph anew.
struct ReloadGraph: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Let the running instance read its graph file anew, and change to it.",
        discussion: """
            Waits until the new nodes have passed their probation. Exit code 0: done, or nothing to do; 1: the graph was \
            refused, or the change failed, and the old graph serves; 2: the instance cannot be reached.
            """
    )

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        let answer = try await AdminClient(admin).put(nil, query: "settled=true")
        guard answer.status == 200 else { throw answer.exit() }
        try Terminal.say(answer.planText)
    }
}
