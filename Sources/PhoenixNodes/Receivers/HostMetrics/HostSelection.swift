public import PhoenixGraph

/// Which of several named things are told of: those that `include` finds, or all, without those that `exclude` finds.
public struct HostSelection: ObjectValue, Hashable {
    public var include: [Pattern] = []
    public var exclude: [Pattern] = []
    public init() {}
    public static let fields: [Field<Self>] = [
        Field(
            "include",
            \.include,
            "Regular expressions, one of which a name must match; all pass where there is none."
        ),
        Field("exclude", \.exclude, "Regular expressions, none of which a name may match."),
    ]
    func takes(_ name: String) -> Bool {
        (include.isEmpty || include.contains { $0.matches(name) }) && !exclude.contains { $0.matches(name) }
    }
}

/// Which disks are told of.
public struct DiskSelection: ObjectValue, Hashable {
    public var include: [Pattern] = []
    public var exclude: [Pattern] = []
    public var partitions = false
    public init() {}
    public static let fields: [Field<Self>] = [
        Field(
            "include",
            \.include,
            "Regular expressions, one of which a device must match; all pass where there is none."
        ),
        Field("exclude", \.exclude, "Regular expressions, none of which a device may match."),
        Field(
            "partitions",
            \.partitions,
            "Whether partitions are told of beside their disks, which count the same traffic again."
        ),
    ]
    var selection: HostSelection {
        var selection = HostSelection()
        (selection.include, selection.exclude) = (include, exclude)
        return selection
    }
}

/// Which file systems are told of.
public struct FileSystemSelection: ObjectValue, Hashable {
    public var devices = HostSelection()
    public var types = HostSelection()
    public var mountPoints = HostSelection()
    public init() {}
    public static let fields: [Field<Self>] = [
        Field("devices", \.devices, "By what is mounted."),
        Field("types", \.types, "By the type of the file system."),
        Field("mount_points", \.mountPoints, "By where it is mounted."),
    ]
}

/// Which processes are told of.
public struct ProcessSelection: ObjectValue, Hashable {
    public var include: [Pattern] = []
    public var exclude: [Pattern] = []
    public var limit = 4096
    public init() {}
    public static let fields: [Field<Self>] = [
        Field(
            "include",
            \.include,
            "Regular expressions, one of which the name of the executable must match; all pass where there is none."
        ),
        Field(
            "exclude",
            \.exclude,
            "Regular expressions, none of which the name of the executable may match."
        ),
        Field(
            "limit",
            \.limit,
            in: 1...131_072,
            "How many processes are told of at once; those beyond, the newest, are counted."
        ),
    ]
    func takes(_ name: String) -> Bool {
        var selection = HostSelection()
        (selection.include, selection.exclude) = (include, exclude)
        return selection.takes(name)
    }
}
