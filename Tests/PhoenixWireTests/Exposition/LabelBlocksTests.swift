import PhoenixModel
import Testing

@testable import PhoenixWire

/// A block reads as its labels were made, whether a template writes it or it is kept as text.
@Suite struct LabelBlocksTests {
    private static let keys = [
        "service.name", "service.namespace", "service.instance.id", "host.name", "host_name", "process.pid",
        "command_line", "le", "job", "otel.scope.name", "région",
    ]
    private static let values: [AttributeValue] = [
        "a", "api", "q\"\\\n", "", "été", .int(-7), .int(42), .int(.max), .bool(true),
        .double(bits: 1.5.bitPattern), .string(String(repeating: "long", count: 1_000)),
    ]
    private let table = SeriesTable()

    /// What each block must be like: made anew of the attributes, without a template.
    @Test(arguments: 0..<32 as Range<UInt64>) func everyBlockReadsAsItsLabelsWereMade(seed: UInt64) {
        var random = Seeded(seed)
        var options = ExpositionOptions()
        options.convertsResource = seed % 4 != 3
        options.addsScopeLabels = seed % 3 == 0
        options.strategy = TranslationStrategy.allCases[Int(seed / 4 % 4)]
        options.constantLabels = seed % 5 == 0 ? ["host.name": "const", "job": "", "zone": "z\"1"] : [:]
        var plan = LabelPlan(options)
        let blocks = LabelBlocks()
        var templated = 0
        for _ in 0..<400 {
            // Few sets of keys, so that most have been seen before.
            let count = Int.random(in: 0...5, using: &random)
            let first = Int.random(in: 0..<Self.keys.count, using: &random)
            let attributes = (0..<count).map {
                Attribute(
                    Self.keys[(first + $0) % Self.keys.count],
                    Self.values.randomElement(using: &random)!
                )
            }
            let resource = table.intern(attributes)
            let scope = Scope(name: ["x", ""].randomElement(using: &random)!, version: "1")
            let reserved: LabelPlan.Reserved = [.none, .bucket].randomElement(using: &random)!
            let key = LabelBlocks.Key(
                resource: resource,
                scope: blocks.number(of: options.addsScopeLabels ? scope : nil),
                reserved: reserved
            )
            let shown = options.addsScopeLabels ? scope : Scope()
            let labels = LabelPlan.resolved(plan.head(resource, shown), reserving: reserved)
            let place = blocks.find(key) ?? blocks.add(key) { plan.head(resource, shown) }
            blocks.use(place)
            let block = blocks.blocks[Int(place)]
            if block.template != LabelBlocks.Block.isRendered { templated += 1 }
            #expect(blocks.labels(place) == labels)
            #expect(block.hash == labels.reduce(0) { $0 &+ $1.hash })
            #expect(labels.allSatisfy { blocks.has($0.name, in: place) })
            #expect((block.bytes == nil) == labels.isEmpty)
            #expect(
                ExposedLabel.block(labels).count <= Int(block.count),
                "who writes it makes room for so much"
            )
        }
        #expect(seed % 4 == 3 || templated > 20, "\(templated) of 400 were written by a template")
    }

    /// Senders choose the names of labels: what nobody has any more is forgotten.
    @Test func namesAreKeptAsLongAsSomebodyHasThem() {
        var plan = LabelPlan(ExpositionOptions())
        let blocks = LabelBlocks()
        for round in 0..<10_000 {
            let attributes = table.intern([Attribute("k\(round)", "v"), Attribute("same", "v")])
            let block = blocks.add(LabelBlocks.Key(attributes: attributes)) {
                plan.attributes(attributes.attributes)
            }
            blocks.use(block)
            #expect(blocks.has("k\(round)", in: block) && blocks.areDisjoint(block, LabelBlocks.none))
            #expect(!blocks.areDisjoint(block, block))
            #expect(blocks.disuse(block) != nil)
        }
        #expect(blocks.shapes.count == 1)
    }

    @Test func whoeverHasKnownKeysIsAskedForNothing() {
        var plan = LabelPlan(ExpositionOptions())
        let blocks = LabelBlocks()
        func block(_ space: String, _ name: String) -> UInt32 {
            let resource = table.intern([
                Attribute("service.name", name), Attribute("service.namespace", space),
            ])
            return blocks.add(LabelBlocks.Key(resource: resource)) {
                asked += 1
                return plan.head(resource, Scope())
            }
        }
        var asked = 0
        #expect(blocks.labels(block("shop", "api")) == [ExposedLabel("job", "shop/api")])
        #expect(blocks.labels(block("bank", "web")) == [ExposedLabel("job", "bank/web")])
        #expect(asked == 1)
        // An empty namespace is none; what must be escaped is written out.
        #expect(blocks.labels(block("", "web")) == [ExposedLabel("job", "web")])
        #expect(blocks.labels(block("a\"b", "web")) == [ExposedLabel("job", "a\"b/web")])
        #expect(asked == 3)
        #expect(blocks.templates.templates.count == 1)
    }
}
