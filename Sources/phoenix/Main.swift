import PhoenixCommand
import PhoenixNodes

/// The program `phoenix` with the node types of Phoenix; a program with others passes another catalog.
@main enum Main {
    static func main() async { await PhoenixCommand.main(.standard) }
}
