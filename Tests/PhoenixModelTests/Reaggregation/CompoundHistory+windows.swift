/// What senders of windows say: they follow each other, but for gaps, some of which are filled late.
extension CompoundHistory {
    mutating func windows(_ name: Int) -> [Sent] {
        var sender = senders[name]
        defer { senders[name] = sender }
        var points: [Sent] = []
        let now = time(now, of: name)
        // Where a clock is ahead, what is late from before it was forgotten is like what was counted by then: nobody sends it.
        if now > self.now, let last = sender.last, now - last.time > 100 * Self.second { sender.held = [] }
        let isHolding = sender.held.isEmpty && chance(6)
        if isHolding {
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let since = sender.last?.time ?? now - Self.second
                let time = max(since + 1, since + (now - min(now, since)) / 3)
                sender.held.append(window(name, &sender, at: time, gapOneIn: 5))
            }
        }
        let before = sender.last
        // What is held must be the end of its gap, or what comes first of two would be taken for all of it.
        let gapOneIn = isHolding ? Int.max : sender.held.isEmpty ? 5 : 15
        let point = window(name, &sender, at: max(now, (before?.time ?? 0) + 1), gapOneIn: gapOneIn)
        // Twice, late, or once more after the next one.
        if !isHolding, let before, chance(10) { points.append(before) }
        points.append(point)
        if chance(10) { points.append(point) }
        if !isHolding, let before, chance(12) { points.append(before) }
        guard !sender.held.isEmpty, chance(2) else { return points }
        points += chance(2) ? sender.held : sender.held.reversed()
        if chance(4) { points += sender.held }
        sender.held = []
        return points
    }
    private mutating func window(
        _ name: Int,
        _ sender: inout Sender,
        at time: UInt64,
        gapOneIn: Int
    ) -> Sent {
        let since = sender.last?.time ?? time - Self.second
        sender.start = since
        if gapOneIn != .max, chance(gapOneIn) {
            sender.start += (time - since) / 2
        } else if gapOneIn != .max, chance(12), let last = sender.last {
            // Clocks are read twice: windows may overlap.
            sender.start -= (last.time - min(last.time, max(last.start, last.time - Self.second))) / 2
        }
        // Some do not know their start.
        if name / kinds.count == 5 { sender.start = 0 }
        (sender.buckets, sender.quarters) = (Array(repeating: 0, count: width(name)), 0)
        return say(name, &sender, at: time)
    }
}
