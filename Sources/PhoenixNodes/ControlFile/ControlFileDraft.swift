import PhoenixModel

/// What is to be written to the control file next: the decisions of its exporter, without a disk.
struct ControlFileDraft: Sendable {
    private var asked: ModeChange?
    /// What the controller decided last.
    private var decided: ModeChange?
    /// What the file is known to say, by this hand or another.
    private var known: ControlFile?
    private var version: UInt64 = 0
    private var metrics = ControlFile.Metrics()
    private var thresholds: ControlFile.Thresholds?
    /// A hand edit was told to the controller, and nothing is written before it has answered.
    private var waitsForAnswer = false
    /// The file has a mode that another hand wrote beside the moment of the mode before.
    private var isMomentOld = false
    /// The file was written before anything was counted: once something is, it is written again with the counts.
    private var lacksCounts = false
    /// What is asked for are those counts, and no decision.
    private var isRecount = false

    var isPending: Bool { asked != nil }
    /// The decision that the file has yet to say; nil where only counts are to be written.
    var owed: ModeChange? { isRecount ? nil : asked }

    /// The controller has decided.
    mutating func ask(_ change: ModeChange) {
        (waitsForAnswer, decided, isRecount) = (false, change, false)
        // A controller that went on from the file says what stands there already.
        let isWritten =
            known?.correlationID == change.correlationID && !change.correlationID.isEmpty
            && known?.mode == change.mode
            && ControlFile.isSame(known?.exposure ?? [:], change.exposure)
        asked = isWritten ? nil : change
    }

    /// The file says this now; true where another hand wrote it. One that is told to the controller is not written over
    /// by what was decided before it was known.
    mutating func see(_ file: ControlFile, isTold: Bool) -> Bool {
        noteVersion(file.version)
        defer { known = file }
        guard file != known else { return false }
        if let known, file.mode != known.mode { isMomentOld = file.changedUnixNano == known.changedUnixNano }
        if isTold { (asked, waitsForAnswer) = (nil, true) } else if isRecount { asked = nil }
        (lacksCounts, isRecount) = (false, false)
        return true
    }
    /// There is no file any more: what was decided last is written again. False where nothing was decided yet.
    mutating func noteMissing() -> Bool {
        known = nil
        guard let decided else { return false }
        (asked, waitsForAnswer) = (decided, false)
        return true
    }
    /// Versions go on from the largest that was ever seen.
    mutating func noteVersion(_ seen: UInt64) { version = max(version, seen) }

    /// What the controller counts, for those who read the file.
    mutating func note(_ observation: Observation) {
        for reading in observation.readings {
            let labels = reading.attributes
            switch (reading.name, labels[KPIName.pipelineLabel] ?? labels["threshold"]) {
            case (ControlReadings.pipelineSeries, PipelineName.full?): metrics.full = reading.value
            case (ControlReadings.pipelineSeries, PipelineName.optimized?): metrics.optimized = reading.value
            case (ControlReadings.pipelineSeries, PipelineName.experimental?):
                metrics.experimental = reading.value
            case (ControlReadings.threshold, "conservative_max"?):
                thresholds = .init(
                    conservativeMaximum: reading.value,
                    aggressiveMinimum: thresholds?.aggressiveMinimum ?? reading.value
                )
            case (ControlReadings.threshold, "aggressive_min"?):
                thresholds?.aggressiveMinimum = reading.value
            default: continue
            }
        }
        guard lacksCounts, metrics.full > 0, metrics.optimized > 0, asked == nil, !waitsForAnswer else {
            return
        }
        (asked, lacksCounts, isRecount) = (decided, false, true)
    }

    /// What to write now; nil where nothing is asked for.
    func file(at now: UInt64) -> ControlFile? {
        guard let asked, !waitsForAnswer else { return nil }
        var file = ControlFile(asked.mode)
        file.version = max(version + 1, asked.version)
        (file.correlationID, file.reason) = (asked.correlationID, asked.reason)
        file.updatedUnixNano = now
        let isChange = known?.mode != asked.mode || known?.changedUnixNano == 0 || isMomentOld
        file.changedUnixNano = isChange ? asked.timeUnixNano : known?.changedUnixNano ?? asked.timeUnixNano
        (file.exposure, file.metrics, file.thresholds) = (asked.exposure, metrics, thresholds)
        return file
    }
    mutating func noteWritten(_ file: ControlFile) {
        isMomentOld = false
        // What was decided while it was written is yet to be written.
        if let asked, file.says(asked) { (self.asked, isRecount) = (nil, false) }
        lacksCounts = file.metrics == ControlFile.Metrics()
        noteVersion(file.version)
        // As it reads back: the reader keeps neither counts nor thresholds.
        known = file.asRead
    }
}

extension ControlFile {
    /// Flags alike, where a pipeline that is not named is exposed.
    static func isSame(_ left: [String: Bool], _ right: [String: Bool]) -> Bool {
        Set(left.keys).union(right.keys).allSatisfy { left[$0] ?? true == right[$0] ?? true }
    }
    /// Whether it was made of this change.
    fileprivate func says(_ change: ModeChange) -> Bool {
        mode == change.mode && correlationID == change.correlationID && reason == change.reason
            && Self.isSame(exposure, change.exposure)
    }
    /// What a reader makes of it: the counts are for people, moments are written to the millisecond.
    var asRead: ControlFile {
        var file = self
        (file.metrics, file.thresholds) = (Metrics(), nil)
        file.updatedUnixNano -= file.updatedUnixNano % 1_000_000
        file.changedUnixNano -= file.changedUnixNano % 1_000_000
        for name in PipelineName.all { file.exposure[name] = file.exposure[name] ?? true }
        return file
    }
}
