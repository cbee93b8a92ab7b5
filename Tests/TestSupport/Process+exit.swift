package import Foundation
import Glibc

extension Process {
    /// The exit code once the process has ended, or the number of the signal that ended it; `nil` while it runs. A process that was reaped
    /// already is one that ended.
    ///
    /// Foundation learns of an end by a socket that children started at the same moment may hold open, and can wait for ever: this asks the
    /// kernel, and leaves the reaping to Foundation.
    package var exitCode: Int32? { wait(WNOHANG) }

    /// Returns when the process has ended.
    package func waitForExit() { _ = wait(0) }

    private func wait(_ options: Int32) -> Int32? {
        var info = siginfo_t()
        while waitid(P_PID, id_t(processIdentifier), &info, WEXITED | WNOWAIT | options) != 0 {
            if errno != EINTR { return isRunning ? nil : terminationStatus }
        }
        let child = info._sifields._sigchld
        return child.si_pid == 0 ? nil : child.si_status
    }
}
