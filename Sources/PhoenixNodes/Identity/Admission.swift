import PhoenixModel
import PhoenixRuntime

/// How many series a node admits: the distinct outputs of its current plan whose inputs were seen within `aliveSeconds`;
/// and how many it would admit in its other modes, from the same inputs.
///
/// Counted anew from the inputs themselves once a second, so that there is no sum that could go wrong. The outputs of other
/// programs are known to nobody: `Foresight` judges each input once for each program, beside the node.
struct Admission<Program: IdentityProgram & Equatable> {
    let foresight: Foresight<Program>
    private var programs: Programs<Program>
    private var distinct: [Program]
    /// The inputs that lived when it was last counted, by slot.
    private var living = SlotSet()
    /// The slots of those that are to be judged anew.
    private var anew = SlotSet()
    private var admitted = 0
    private let context: NodeContext
    private let pipeline: String
    private let gauge: Gauge
    private let observations: Outlet<Observation>

    init(_ programs: Programs<Program>, _ context: NodeContext, pipeline: String) {
        (self.programs, self.context) = (programs, context)
        self.pipeline = pipeline.isEmpty ? context.id : pipeline
        distinct = programs.distinct
        foresight = Foresight(distinct, context.series)
        observations = context.wiring[RelabelingPort.observations]
        gauge = context.vitals.gauge(
            "phoenix_node_admitted_series",
            [:],
            "Output series of the current plan whose inputs are alive."
        )
    }

    /// Whether anybody wants to know.
    var isRead: Bool { observations.isLinked }
    private var foresees: Bool { isRead && distinct.count > 1 }

    mutating func replace(with programs: Programs<Program>) {
        self.programs = programs
        // Also where they equal those of before: what they look at may be another ranking.
        distinct = programs.distinct
        (living, anew) = (SlotSet(), SlotSet())
        foresight.begin(distinct)
    }
    /// Has the series of some slots judged anew: their entities changed place.
    mutating func judgeAnew(_ slots: [UInt32]) {
        guard foresees else { return }
        for slot in slots { anew.insert(slot) }
    }

    /// Counts; true where `foresight` has something to judge before it can be told.
    mutating func count(_ reaggregator: inout Reaggregator, now: UInt64, _ program: Program) -> Bool {
        let (seconds, window) = (UInt32(truncatingIfNeeded: now / 1_000_000_000), program.aliveSeconds)
        var (now, outputs) = (SlotSet(), SlotSet())
        var born: [SeriesID] = []
        let (before, anew, foresees) = (living, anew, foresees && !foresight.isBehind)
        reaggregator.visitInputs { id, seen, output in
            guard seconds &- seen <= window || Int32(bitPattern: seconds &- seen) < 0 else { return }
            if let output { outputs.insert(output) }
            guard foresees else { return }
            now.insert(id.slot)
            if !before.contains(id.slot) || anew.contains(id.slot) { born.append(id) }
        }
        // While inputs are on their way from one plan to another, both plans' outputs are among these.
        if !reaggregator.isRemapping { admitted = outputs.count }
        guard foresees else { return false }
        foresight.add(born, gone: before.subtracting(now), anew: !anew.isEmpty)
        (living, self.anew) = (now, SlotSet())
        return true
    }

    /// Tells what was counted.
    func tell(_ mode: Mode?) async throws {
        let forecast = foresees ? foresight.forecast : nil
        func count(_ program: Program) -> Int? {
            guard let forecast, forecast.programs == distinct else { return nil }
            return forecast.programs.firstIndex(of: program).map { forecast.counts[$0] }
        }
        let current = count(programs[mode]) ?? admitted
        gauge.set(Double(current))
        guard isRead else { return }
        var readings = [
            Observation.Reading(KPIName.admitted, Double(current), [KPIName.pipelineLabel: pipeline])
        ]
        for other in Mode.allCases where other != mode {
            guard let count = count(programs[other]) else { continue }
            let labels = [KPIName.pipelineLabel: pipeline, KPIName.modeLabel: other.rawValue]
            readings.append(Observation.Reading(KPIName.wouldAdmit, Double(count), labels))
        }
        try await observations.send(
            Observation(source: context.id, timeUnixNano: context.time.unixNanoseconds, readings: readings)
        )
    }
}
