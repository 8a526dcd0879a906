/// Exemplars: a measurement that stands for others goes with the series that its point went to.
extension Reaggregator {
    /// So many go with one point; more would be thinned out by whoever shows them.
    public static var maximumExemplars: Int { 16 }

    /// The exemplars whose points were added to what is emitted now, under its series. What their own series had and the
    /// output has not is told of them as filtered (data model, Exemplars).
    mutating func carried(_ exemplars: [Exemplar]) -> [Exemplar] {
        var (result, held) = ([Exemplar](), [UInt32: Int]())
        var filtered: [UInt32: [Attribute]] = [:]
        for var exemplar in exemplars {
            let slot = exemplar.series.slot
            guard let number = target(of: exemplar.series), held[number, default: 0] < Self.maximumExemplars
            else {
                counts.exemplars += 1
                continue
            }
            held[number, default: 0] += 1
            let attributes = filtered[slot] ?? missing(of: exemplar.series, from: number)
            filtered[slot] = attributes
            if !attributes.isEmpty {
                let own = exemplar.filteredAttributes.attributes
                // What the sender filtered out itself is nearer to the measurement.
                exemplar.filteredAttributes = AttributeSet(attributes + own)
            }
            exemplar.series = outputs[number].id
            result.append(exemplar)
        }
        return result
    }
    /// The output that a series' point of this batch was added to.
    private func target(of id: SeriesID) -> UInt32? {
        let member = members[id.slot]
        guard member.generation == id.generation, member.output < Self.firstDropped else { return nil }
        let number = siblings[id.slot] ?? member.output
        let output = outputs[number]
        return output.touched == serial && table.isCurrent(output.id) ? number : nil
    }
    private func missing(of id: SeriesID, from number: UInt32) -> [Attribute] {
        guard let input = table.series(id) else { return [] }
        let output = table.series(kept: names[number])
        if input.resource == output.resource, input.attributes == output.attributes { return [] }
        let kept = Set((output.resource.attributes + output.attributes.attributes).map(\.key))
        return (input.resource.attributes + input.attributes.attributes).filter { !kept.contains($0.key) }
    }
}
