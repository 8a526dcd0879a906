import ArgumentParser
import PhoenixGraph

/// `phoenix schema`: the JSON Schema of graph files, for editors.
struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema of graph files, for editors to complete and check by."
    )

    func run() throws { try Terminal.say(GraphSchema(GraphSource.specs).text.trimmed) }
}

extension String {
    /// Without line breaks at the end.
    fileprivate var trimmed: String {
        var text = self
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
