import PhoenixModel

/// The law of the system that Phoenix replaces: thresholds with hysteresis on the count of the mode that holds, looked at
/// once a control period, with the stability period between two changes.
struct OldLaw {
    private(set) var mode = Mode.conservative
    private var lastChange: Int?

    /// Looks at the count; true where it changed the mode.
    mutating func look(_ count: Double, at seconds: Int) -> Bool {
        if let lastChange, seconds - lastChange < 120 { return false }
        let wanted: Mode =
            switch mode {
            case .conservative: count > 25_000 ? .aggressive : count > 16_500 ? .balanced : .conservative
            case .balanced: count > 25_000 ? .aggressive : count < 15_000 ? .conservative : .balanced
            case .aggressive: count < 15_000 ? .conservative : count < 22_500 ? .balanced : .aggressive
            }
        guard wanted != mode else { return false }
        (mode, lastChange) = (wanted, seconds)
        return true
    }
}
