import Foundation
import PhoenixCommand
import PhoenixNodes
import PhoenixRuntime
import Testing

/// What is made out of the catalog is as fresh as the catalog.
@Suite struct GeneratedFileTests {
    private static let examples = Repository.root.appendingPathComponent("graphs/examples").path
    static let pages = ReferencePages(.standard, examples: examples).all

    @Test(arguments: pages.keys.sorted()) func isFresh(_ page: String) throws {
        let written = try? Repository.text("docs/" + page)
        #expect(written == Self.pages[page], "docs/\(page) is stale: run `make reference`")
    }

    @Test func nothingStaleLiesBesideIt() {
        for file in Repository.files(below: "docs/nodes", ending: ".md") {
            let page = String(file.dropFirst("docs/".count))
            #expect(Self.pages[page] != nil, "\(file) belongs to no node type: run `make reference`")
        }
    }

    @Test func theBuiltInDemonstrationIsTheFile() throws {
        let link = Repository.root.appendingPathComponent("Sources/PhoenixCommand/Resources/demo.yaml").path
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: link)
        #expect(target == "../../../graphs/demo.yaml")
        #expect(PhoenixCommand.demonstration == (try Repository.text("graphs/demo.yaml")))
    }

    @Test func theChangelogKnowsTheVersion() throws {
        #expect(try Repository.text("CHANGELOG.md").contains("## \(Version.current)"))
    }
}
