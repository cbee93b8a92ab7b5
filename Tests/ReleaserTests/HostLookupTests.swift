import Dispatch
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

@Suite("HostLookup")
struct HostLookupTests {
    @Test("a host whose name server keeps silent is asked for once, and holds up no other")
    func silent() async throws {
        let asked = Locked(0)
        let gate = DispatchSemaphore(value: 0)
        let address = IPAddress(bytes: [8, 8, 8, 8])
        let lookup = HostLookup { host in
            guard host == "silent.example" else { return [address] }
            asked.update { $0 += 1 }
            gate.wait()
            gate.signal()
            return []
        }
        let waiting = (0..<100).map { _ in Task { await lookup.addresses(of: "silent.example") } }
        try await eventually("the silent one is asked for") { asked.get() > 0 }
        #expect(await lookup.addresses(of: "quick.example") == [address])
        #expect(asked.get() == 1)
        gate.signal()
        for task in waiting { #expect(await task.value.isEmpty) }
    }

    @Test("the system's resolver knows digits, and not what is no host")
    func system() {
        #expect(HostLookup.askSystem("127.0.0.1") == [IPAddress(bytes: [127, 0, 0, 1])])
        #expect(HostLookup.askSystem("::1").map(\.description) == ["::1"])
        #expect(HostLookup.askSystem("no host").isEmpty)
    }
}
