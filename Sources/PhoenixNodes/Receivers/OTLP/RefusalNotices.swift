/// What of the refusals is told to people.
typealias RefusalNotices = Notices<RequestRefusal, RefusedRequest>

/// One request that was refused, as far as it is known.
struct RefusedRequest: Sendable, Equatable {
    var speech: OTLPReply.Speech
    var what: String
    /// Its `user-agent`.
    var sender: String?
    var peer: String?
}
