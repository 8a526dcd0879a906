import Testing

@testable import PhoenixModel

@Suite struct LayoutColumnTests {
    private let one = BucketLayout(bounds: [1])
    private let two = BucketLayout(bounds: [1, 2])

    @Test func itHoldsWhatWasPutIn() {
        var column: LayoutColumn = [one, one, two, one]
        #expect(column.map(ObjectIdentifier.init) == [one, one, two, one].map(ObjectIdentifier.init))
        column[1] = two
        column.append(two)
        #expect(Array(column) == [one, two, two, one, two])
        #expect(Array(column.picked([4, 0])) == [two, one])
        #expect(LayoutColumn().isEmpty)
        column.withAddresses { addresses in
            for index in column.indices {
                #expect(addresses[index].takeUnretainedValue() === column[index])
            }
        }
    }
    @Test func whatItGivesOutGoesWithTheLastHolder() {
        weak var gone: BucketLayout?
        do {
            let layout = BucketLayout(bounds: [3])
            gone = layout
            let column: LayoutColumn = [layout, layout]
            #expect(column[1] === gone)
        }
        #expect(gone == nil)
    }
}

/// What is added to counts in one pass is what each grew by, or nothing.
@Suite struct CountSpaceTests {
    private func add(_ old: [UInt64], _ new: [UInt64], to own: [UInt64], at place: Int = 0) -> [UInt64]? {
        var own = own
        let isAdded = own.withUnsafeMutableBufferPointer { own in
            old.withRun { old in
                new.withRun { new in
                    CountSpace(base: own.baseAddress!, count: own.count).add(from: old, to: new, at: place)
                }
            }
        }
        return isAdded ? own : nil
    }
    /// What is left where nothing was to be added.
    private func rest(_ old: [UInt64], _ new: [UInt64], _ own: [UInt64]) -> [UInt64] {
        var own = own
        own.withUnsafeMutableBufferPointer { own in
            old.withRun { old in
                new.withRun { new in
                    let space = CountSpace(base: own.baseAddress!, count: own.count)
                    #expect(!space.add(from: old, to: new))
                }
            }
        }
        return own
    }

    @Test func itAddsWhatEachGrewBy() {
        #expect(add([1, 2, 3], [1, 5, 4], to: [10, 20, 30]) == [10, 23, 31])
        #expect(add([1], [3], to: [0, 0, 7], at: 2) == [0, 0, 9])
        #expect(add([], [], to: [4]) == [4])
        let half: UInt64 = 1 << 63
        #expect(add([0, 7], [half, 9], to: [1, 1]) == [half + 1, 3])
        #expect(add([half], [.max], to: [1]) == [half])
    }
    @Test func nothingIsAddedWhereOneFell() {
        #expect(rest([1, 2, 3], [5, 1, 9], [10, 20, 30]) == [10, 20, 30])
        #expect(rest([.max, 0], [1 << 63, 4], [7, 8]) == [7, 8])
        let many = (0..<41).map { UInt64($0) }
        #expect(rest(many, many.dropLast() + [39], many) == many)
    }
}
