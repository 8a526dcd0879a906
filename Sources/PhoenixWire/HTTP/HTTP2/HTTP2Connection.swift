import NIOCore
final class HTTP2Connection: HTTPConnection {
    init(_ link: HTTPLink) {}
    func read(_ buffer: ByteBuffer) {}
    func readComplete() {}
    func writabilityChanged() {}
    func inactive() {}
    func tick(_ now: NIODeadline) {}
    func drain() {}
}
