/// A line of `/proc/self/mounts` (fstab(5)).
struct MountPoint: Sendable, Equatable {
    var device: String
    var path: String
    var type: String
    var isReadOnly: Bool

    /// The file systems that can be seen: of several that were mounted at one place the last.
    static func all(_ text: KernelText) -> [MountPoint] {
        var (mounts, places): ([MountPoint], [String: Int]) = ([], [:])
        for mount in text.lines.compactMap(MountPoint.init(line:)) {
            if let place = places[mount.path] {
                mounts[place] = mount
            } else {
                places[mount.path] = mounts.count
                mounts.append(mount)
            }
        }
        return mounts
    }

    private init?(line: KernelText) {
        let words = line.words
        guard words.count >= 4, words[1].bytes.first == UInt8(ascii: "/") else { return nil }
        (device, path) = (Self.unescaped(words[0]), Self.unescaped(words[1]))
        type = words[2].string
        isReadOnly = words[3].bytes.split(separator: UInt8(ascii: ",")).contains {
            $0.elementsEqual("ro".utf8)
        }
    }

    /// Whether nobody may be asked about it: a server that is gone would not answer for ever, and an automounter would mount.
    var mayBlock: Bool {
        let types: Set = [
            "9p", "acfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs", "gfs2",
            "glusterfs",
            "gpfs", "lustre", "ncp", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs", "virtiofs",
        ]
        return types.contains(type) || type == "fuse" || type.hasPrefix("fuse.")
    }

    /// Spaces and the like are written as a backslash and three octal digits.
    static func unescaped(_ word: KernelText) -> String {
        var (result, rest): ([UInt8], ArraySlice<UInt8>) = ([], word.bytes)
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                digits.allSatisfy({ (0x30...0x37).contains($0) })
            {
                result.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 0x30) })
                rest.removeFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
