"""A file that whoever opens it waits for: a way to make a program stand still at a known place."""

import fcntl
import os
import pathlib
import signal


class Lease:
    """Holds back who opens the file to read it until `release`; the kernel lets go by itself after 45 s."""

    def __init__(self, path: pathlib.Path):
        # The kernel tells the holder that somebody waits, and would end it.
        self.before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        self.descriptor = os.open(path, os.O_RDWR)
        fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    @property
    def is_awaited(self) -> bool:
        return fcntl.fcntl(self.descriptor, fcntl.F_GETLEASE) != fcntl.F_WRLCK

    def release(self):
        if self.descriptor < 0:
            return
        os.close(self.descriptor)
        self.descriptor = -1
        signal.signal(signal.SIGIO, self.before)
