import Testing

@testable import PhoenixWire

/// What the kernel's list of unix sockets says of the socket of another user.
@Suite struct UnixSocketFileTests {
    private static let list = """
        Num       RefCount Protocol Flags    Type St Inode Path
        0000000000000000: 00000002 00000000 00010000 0001 01 19471 /run/phoenix/otlp.sock
        0000000000000000: 00000002 00000000 00010000 0001 01    12 /run/with a space/a b.sock
        0000000000000000: 00000003 00000000 00000000 0001 03 23085
        0000000000000000: 00000002 00000000 00010000 0001 01 20001 @/run/abstract.sock
        0000000000000000: 00000002 00000000 00010000 0001 01 20002 relative.sock
        """

    @Test(arguments: ["/run/phoenix/otlp.sock", "/run/with a space/a b.sock", "relative.sock"])
    func aPathThatIsListedIsInUse(_ path: String) {
        #expect(UnixSocketFile.isBound(path, in: Self.list) == true)
    }
    @Test(arguments: ["/run/phoenix/otlp", "/run/phoenix", "/run/abstract.sock", "/run/23085", "/a/b.sock"])
    func aNameThatNobodyHasIsLeftBehind(_ path: String) {
        #expect(UnixSocketFile.isBound(path, in: Self.list) == false)
    }
    @Test(arguments: ["/var/run/phoenix/otlp.sock", "/run//phoenix/otlp.sock", "/srv/relative.sock"])
    func aPathThatMayBeWrittenInAnotherWayCannotBeTold(_ path: String) {
        #expect(UnixSocketFile.isBound(path, in: Self.list) == nil)
    }
}
