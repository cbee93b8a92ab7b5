import Glibc
import Synchronization

private let given = Atomic(0)

/// A port of loopback that nobody listens at: another each time, and below those that the system gives to outgoing connections, so that nobody
/// has taken it by the time that somebody listens.
package func freePort() -> Int {
    while true {
        let number = given.add(1, ordering: .relaxed).newValue
        let port = 10_000 + (Int(getpid()) * 37 + number) % 10_000
        if isFree(port) { return port }
    }
}

private func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
}
