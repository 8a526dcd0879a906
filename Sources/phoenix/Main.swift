import ArgumentParser
import Logging
import NIOPosix
import ServiceLifecycle
@main struct Phoenix: ParsableCommand { func run() {} }
