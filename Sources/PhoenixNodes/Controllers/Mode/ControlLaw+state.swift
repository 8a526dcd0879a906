import PhoenixModel
import PhoenixRuntime

/// What of a law outlives the process: the mode that holds, and a person's word with what is left of it. What was measured
/// is not: sums of errors, slopes and waiting times are of a load that was not seen since.
struct KeptControl: StatePicture {
    private(set) var version: UInt64
    private(set) var current: ModeChange?
    private(set) var held: Held?
    /// As `ControlLaw.Held`, by the clock of the world alone.
    struct Held {
        var mode: Mode
        var reason: String
        var untilUnixNano: UInt64?
        var before: Mode
        var exposure: [String: Bool]?
    }

    init(_ law: ControlLaw) {
        (version, current) = (law.version, law.current)
        held = law.held.map {
            Held(
                mode: $0.mode,
                reason: $0.reason,
                untilUnixNano: $0.until?.unixNano,
                before: $0.before,
                exposure: $0.exposure
            )
        }
    }

    func write(to writer: inout StateWriter) throws {
        writer.write(version)
        writer.write(current != nil)
        if let current {
            for text in [current.mode.rawValue, current.reason, current.correlationID] { writer.write(text) }
            writer.write(current.version)
            writer.write(current.timeUnixNano)
            Self.write(current.exposure, to: &writer)
        }
        writer.write(held != nil)
        if let held {
            for text in [held.mode.rawValue, held.before.rawValue, held.reason] { writer.write(text) }
            writer.write(held.untilUnixNano != nil)
            if let until = held.untilUnixNano { writer.write(until) }
            writer.write(held.exposure != nil)
            if let exposure = held.exposure { Self.write(exposure, to: &writer) }
        }
    }
    init(from reader: inout StateReader) throws {
        version = try reader.number()
        if try reader.flag() {
            let (mode, reason) = (try Self.mode(&reader), try reader.text())
            let (id, version, time) = (try reader.text(), try reader.number(), try reader.number())
            current = ModeChange(
                mode,
                because: reason,
                correlationID: id,
                version: version,
                timeUnixNano: time,
                exposure: try Self.exposure(&reader)
            )
        }
        guard try reader.flag() else { return }
        let (mode, before, reason) = (try Self.mode(&reader), try Self.mode(&reader), try reader.text())
        let until = try reader.flag() ? try reader.number() : nil
        let exposure = try reader.flag() ? try Self.exposure(&reader) : nil
        held = Held(mode: mode, reason: reason, untilUnixNano: until, before: before, exposure: exposure)
    }
    private static func write(_ exposure: [String: Bool], to writer: inout StateWriter) {
        writer.write(exposure.count)
        for (pipeline, isExposed) in exposure.sorted(by: { $0.key < $1.key }) {
            writer.write(pipeline)
            writer.write(isExposed)
        }
    }
    private static func exposure(_ reader: inout StateReader) throws -> [String: Bool] {
        var exposure: [String: Bool] = [:]
        for _ in 0..<(try reader.count()) { exposure[try reader.text()] = try reader.flag() }
        return exposure
    }
    private static func mode(_ reader: inout StateReader) throws -> Mode {
        guard let mode = Mode(rawValue: try reader.text()) else {
            throw StateError.malformed(what: "a mode is none")
        }
        return mode
    }
}

extension ControlLaw {
    /// Goes on where the law of the process before was. An override that ended meanwhile ends with the next look.
    ///
    /// - Parameter decides: false where another will say the mode: then only versions go on.
    mutating func goOn(with kept: KeptControl, decides: Bool, at now: Moment) {
        noteVersion(kept.version)
        guard decides, let current = kept.current, resume(current, at: now) == nil else { return }
        held = kept.held.map { held in
            let until = held.untilUnixNano.map { end in
                let left = Duration.nanoseconds(Int64(clamping: end - min(end, now.unixNano)))
                return Moment(monotonic: now.monotonic + left, unixNano: end)
            }
            return Held(
                mode: held.mode,
                reason: held.reason,
                until: until,
                before: held.before,
                exposure: held.exposure
            )
        }
    }
}
