/// From when until when a certificate is valid.
struct CertificateValidity: Sendable, Equatable {
    /// A moment, in seconds since 1970.
    struct Moment: Sendable, Equatable {
        var seconds: Int
        /// As RFC 3339 writes it, moments before 1970 as 1970.
        var text: String {
            let product = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
            return RFC3339.text(unixNano: product.overflow ? .max : product.partialValue)
        }
    }
    var notBefore: Moment
    var notAfter: Moment

    /// Both in seconds since 1970.
    init(_ notBefore: Int, _ notAfter: Int) {
        (self.notBefore, self.notAfter) = (Moment(seconds: notBefore), Moment(seconds: notAfter))
    }

    /// Why clients refuse it at a moment, and how to mend that; nil while it is valid.
    func trouble(at unixNano: UInt64) -> String? {
        let now = Int(unixNano / 1_000_000_000)
        if now > notAfter.seconds {
            return Self.refused("no longer valid", "renew it under its name, and reload the graph")
        }
        if now < notBefore.seconds {
            return Self.refused("not valid yet", "look at the clock of this machine, or take another")
        }
        return nil
    }
    private static func refused(_ why: String, _ remedy: String) -> String {
        "the certificate is \(why) and clients refuse it; \(remedy)"
    }
}
