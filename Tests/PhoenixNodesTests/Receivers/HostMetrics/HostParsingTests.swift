import PhoenixRuntime
import Testing

@testable import PhoenixNodes

/// What the kernel writes, as it writes it, and what somebody else might have written.
@Suite struct HostParsingTests {
    @Test(
        arguments: [
            ("0", 0), ("18446744073709551615", UInt64.max), ("18446744073709551616", nil), ("", nil),
            ("-1", nil),
            ("1.5", nil), ("99999999999999999999999", nil), ("0x1", nil),
        ] as [(String, UInt64?)]
    )
    func numbersAreDigitsAlone(_ text: String, _ number: UInt64?) {
        #expect(KernelText(text).number == number)
    }

    @Test func processorsAreToldAloneAndTogether() throws {
        let text = """
            cpu  100 2 30 4000 5 6 7 8 9 10
            cpu0 60 1 20 2000 3 4 5 6 0 0
            cpu13 40 1 10 2000 2 2 2 2 0 0
            intr 12345 0 1 2
            ctxt 99
            btime 1704067000
            processes 4711
            procs_running 1
            """
        let figures = try #require(KernelStatistics(KernelText(text)))
        #expect(figures.processors.map(\.number) == [nil, 0, 13])
        #expect(
            figures.processors[0].ticks == [100, 2, 30, 4000, 5, 6, 7, 8],
            "guests are in user and nice already"
        )
        #expect(figures.bootTime == 1_704_067_000)
        #expect(figures.processesCreated == 4711)
        #expect(KernelStatistics(KernelText("cpu x y\nbtime 1\n")) == nil)
        #expect(
            KernelStatistics(KernelText("cpu  1 2 3 4\n"))?.processors[0].ticks == [1, 2, 3, 4],
            "an old kernel"
        )
    }

    @Test func memoryIsUsedAsFarAsItIsNotAvailable() throws {
        let text =
            "MemTotal:  1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 300 kB\nHugePages_Total: 3\n"
        let figures = try #require(MemoryFigures(KernelText(text)))
        #expect(figures.used == 400 * 1024)
        let old = try #require(MemoryFigures(KernelText(text.replacing("MemAvailable: 600 kB\n", with: ""))))
        #expect(old.used == 550 * 1024)
        #expect(old.available == nil)
        #expect(MemoryFigures(KernelText("MemTotal: 1 kB\n")) == nil)
    }

    @Test func disksHaveSectorsOf512Bytes() {
        let text = """
               8       0 sda 10 1 100 20 5 2 40 30 0 25 50
               8       1 sda1 9 1 90 19 5 2 40 30 0 24 49 0 0 0 0
               8       2 sda2 1 2 3 4
             104       0 cciss/c0d0 1 0 2 3 4 0 6 7 0 9 10
             253       0 dm-0 x 0 2 3 4 0 6 7 0 9 10
            """
        let disks = DiskFigures.all(KernelText(text))
        #expect(disks.map(\.device) == ["sda", "sda1", "cciss/c0d0"])
        #expect(disks[0].read == .init(operations: 10, merged: 1, bytes: 51_200, milliseconds: 20))
        #expect(disks[0].written == .init(operations: 5, merged: 2, bytes: 20_480, milliseconds: 30))
        #expect(disks[0].busyMilliseconds == 25)
    }

    @Test func interfacesMayTouchTheirNumbers() {
        let text = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0
              eth0:18446744073709551615 3 1 2 0 0 0 0 50 4 5 6 0 0 0 0
            eth0:1: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0
              bad0: 1 2 3
            """
        let found = NetworkFigures.all(KernelText(text))
        #expect(found.map(\.interface) == ["lo", "eth0", "eth0:1"])
        #expect(found[1].received == .init(bytes: .max, packets: 3, errors: 1, dropped: 2))
        #expect(found[1].sent == .init(bytes: 50, packets: 4, errors: 5, dropped: 6))
    }

    @Test func mountPointsAreUnescapedAndTheLastOfAPlaceCounts() {
        let text = """
            proc /proc proc rw,nosuid 0 0
            /dev/sda1 / ext4 rw,relatime 0 0
            /dev/sdb1 /mnt/a\\040b\\134c ext4 ro,errors=remount-ro 0 0
            tmpfs /mnt/x tmpfs rw 0 0
            /dev/sdc /mnt/x xfs rw 0 0
            server:/home /home nfs4 rw 0 0
            me@host: /ssh fuse.sshfs rw 0 0
            broken
            """
        let mounts = MountPoint.all(KernelText(text))
        #expect(mounts.map(\.path) == ["/proc", "/", "/mnt/a b\\c", "/mnt/x", "/home", "/ssh"])
        #expect(mounts.map(\.isReadOnly) == [false, false, true, false, false, false])
        #expect(mounts[3].type == "xfs")
        #expect(mounts.filter(\.mayBlock).map(\.path) == ["/home", "/ssh"])
    }

    @Test func swapIsToldByArea() throws {
        let text =
            "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda2  partition\t2048\t\t512\t\t-2\n/swap\\040file file 10 20 -3\n"
        #expect(
            SwapArea.all(KernelText(text)).map(\.device) == ["/dev/sda2"],
            "used more than there is: not believed"
        )
        #expect(SwapArea.all(KernelText(text))[0].used == 512 * 1024)
        let paging = try #require(
            PagingFigures(KernelText("pgfault 100\npgmajfault 7\npswpin 1\npswpout 2\n"))
        )
        #expect(
            (paging.minorFaults, paging.majorFaults, paging.swappedIn, paging.swappedOut) == (93, 7, 1, 2)
        )
        #expect(PagingFigures(KernelText("nr_free_pages 1\n")) == nil)
    }

    @Test(arguments: [
        ("bash", "bash"), ("a b", "a b"), ("x) S 1 1 (y", "x) S 1 1 (y"), ("(sd-pam)", "(sd-pam)"), ("", ""),
        ("two\nlines", "two\nlines"), ("kworker/0:1-events", "kworker/0:1"),
        ("kworker/u8:2+flush-8:0", "kworker/u8:2"), ("kworker/R-rcu_g", "kworker/R-rcu_g"),
    ])
    func aProcessNameMayHoldAnything(_ written: String, _ name: String) throws {
        let text =
            "42 (\(written)) R 7 42 42 0 -1 2129984 1 2 3 4 5 6 7 8 20 0 9 0 1000 4096 3 18446744073709551615\n"
        let figures = try #require(ProcessStatistics(KernelText(text)))
        #expect(figures.name == name)
        #expect((figures.stateName, figures.parentID, figures.threads) == ("running", 7, 9))
        #expect(
            (figures.minorFaults, figures.majorFaults, figures.userTicks, figures.systemTicks) == (1, 3, 5, 6)
        )
        #expect((figures.startTicks, figures.virtualBytes, figures.isKernelThread) == (1000, 4096, true))
    }

    @Test(arguments: [
        "", "42 (bash", "42 bash) S 1", "42 (bash) S 1 2 3", "42 )bash( S",
        "42 (bash) SS " + String(repeating: "1 ", count: 30),
    ])
    func aBrokenProcessIsNone(_ text: String) { #expect(ProcessStatistics(KernelText(text)) == nil) }

    @Test func noNameOfAProcessPosesAsALine() throws {
        // The kernel writes a line end in a name as two letters.
        let text = "Name:\tevil\\nUid:\t0\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nVmRSS:\t 12 kB\n"
        let status = try #require(ProcessStatus(KernelText(text)))
        #expect(status.userID == 1000)
        #expect(status.residentBytes == 12_288)
        #expect(ProcessStatus(KernelText("Uid:\t0\n")) == nil)
    }

    @Test func commandLinesEndWhereTheirWordsEnd() {
        #expect(ProcessNaming.commandLine(KernelText("a\0b c\0\0\0")) == "a b c")
        #expect(ProcessNaming.commandLine(KernelText("nginx: worker process   ")) == "nginx: worker process")
        #expect(ProcessNaming.commandLine(KernelText("")) == "")
        #expect(ProcessNaming.commandLine(KernelText([0x61, 0xff, 0x62])) == "a\u{fffd}b")
        #expect(ProcessNaming.executablePath("/usr/bin/java (deleted)") == "/usr/bin/java")
    }

    @Test func containersAreFoundInEitherKindOfGroups() {
        let id = String(repeating: "0123456789abcdef", count: 4)
        for text in [
            "0::/system.slice/docker-\(id).scope\n", "12:pids:/kubepods/burstable/pod1/\(id)\n0::/\n",
        ] {
            #expect(ProcessNaming.containerID(KernelText(text)) == id)
        }
        #expect(ProcessNaming.containerID(KernelText("0::/user.slice/\(id.uppercased())\n")) == nil)
        #expect(ProcessNaming.containerID(KernelText("0::/\n")) == nil)
    }

    @Test func usersAreNamedByTheFirstOfTheirNumber() {
        let users = ProcessNaming.users(
            KernelText("root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:\nbad\n:x:5:\napp:x:1000:1000\n")
        )
        #expect(users == [0: "root", 1000: "app"])
    }

    /// Bytes of every kind: nothing traps, and what is believed makes sense.
    @Test func nothingTrapsWhateverAFileHolds() {
        let letters = Array("0123456789 \n\t:/()kBcpu.-\\".utf8) + [0, 0xff]
        for seed in 1...3_000 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let count = Int.random(in: 0..<300, using: &random)
            let text = KernelText((0..<count).map { _ in letters.randomElement(using: &random) ?? 0 })
            let marked = KernelText(
                Array("Name: x\nMemTotal: 9 kB\nMemFree: 9 kB\npgfault 1\npgmajfault 2\n".utf8) + text.bytes
            )
            #expect(MemoryFigures(marked).map { $0.used <= $0.total } ?? false, "seed \(seed)")
            #expect(PagingFigures(marked)?.minorFaults == 0, "seed \(seed)")
            #expect(MountPoint.all(text).allSatisfy { $0.path.hasPrefix("/") }, "seed \(seed)")
            #expect(SwapArea.all(text).allSatisfy { $0.used <= $0.size }, "seed \(seed)")
            #expect(KernelStatistics(text).map { !$0.processors.isEmpty } ?? true, "seed \(seed)")
            #expect(NetworkFigures.all(text).allSatisfy { !$0.interface.isEmpty }, "seed \(seed)")
            #expect(DiskFigures.all(text).allSatisfy { !$0.device.isEmpty }, "seed \(seed)")
            #expect(ProcessNaming.containerID(text).map { $0.count == 64 } ?? true, "seed \(seed)")
            #expect(!ProcessNaming.commandLine(text).hasSuffix("\0"), "seed \(seed)")
            #expect(
                ProcessStatus(marked) != nil && ProcessStatistics(KernelText("1 (")) == nil,
                "seed \(seed)"
            )
            #expect(LoadAverages(text).map { $0.averages.count == 3 } ?? true, "seed \(seed)")
        }
    }
}
