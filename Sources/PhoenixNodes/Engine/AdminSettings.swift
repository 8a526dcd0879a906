public import PhoenixGraph

/// Where the engine can be told to change, and by whom.
public struct AdminSettings: ObjectValue {
    public var listen: [ListenAddress]?
    public var token = Secret("")
    public init() {}

    public static let fields: [Field<Self>] = [
        Field(
            "listen",
            \.listen,
            "Where the admin API answers: loopback or a unix socket, unless there is a token; nowhere with `[]`. Left out "
                + "it is 127.0.0.1:13134 where `engine.listen` is left out too, else nowhere."
        ),
        Field("token", \.token, "The bearer token that callers must show; nobody needs one if it is empty."),
    ]
    public func check(_ marks: FieldMarks, _ report: inout Report) {
        guard token.value.isEmpty else { return }
        for address in listen ?? [] where !address.isLocal {
            report.add(
                at: marks["listen"],
                "whoever reaches \(address) could change the graph",
                mend: "add `token: ${file:/run/secrets/name}`, or listen on 127.0.0.1, [::1] or unix:/path"
            )
        }
    }
}
