import Glibc
import NIOCore
import Synchronization

/// The socket on which the gateway takes connections, and its orderly end.
final class Listener: Sendable {
    /// How long a handshake under way may take, and then reading what was asked for on its connection.
    private static let pause = Duration.milliseconds(150)
    private static let mostPauses = 10

    private let channel = Mutex<(any Channel)?>(nil)

    func opened(_ channel: any Channel) { self.channel.withLock { $0 = channel } }

    /// Lets no further connection begin, and returns when those that have begun are accepted. The socket can be closed then.
    ///
    /// Closed at any other moment, it would reset the connections that the kernel holds for it. A proxy may have sent a POST there, which
    /// it must not send again elsewhere. What is dropped here is a SYN, as if the network had lost it: its sender repeats it after a
    /// second, finds the socket closed, and goes to another gateway with nothing sent yet.
    /// - Throws: when the system has no such filter, or the task is cancelled; closing is then as abrupt as it always is.
    func letNobodyBegin() async throws {
        guard let socket = channel.withLock({ $0 }) as? any SocketOptionProvider else { return }
        try await socket.unsafeSetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_ATTACH_FILTER), value: PacketFilter.withoutSYN
        ).get()
        var timesEmpty = 0
        for _ in 0..<Self.mostPauses where timesEmpty < 2 {
            try await Task.sleep(for: Self.pause)
            // Of a listening socket this is the length of its accept queue.
            timesEmpty = try await socket.getTCPInfo().get().tcpi_unacked == 0 ? timesEmpty + 1 : 0
        }
    }
}

/// A program of the kernel's packet filter, `struct sock_fprog` of linux/filter.h. On a TCP socket it is shown each segment from its header
/// on.
private struct PacketFilter: @unchecked Sendable {
    private let length: UInt16
    private let instructions: UnsafePointer<Instruction>

    /// `struct sock_filter`.
    private struct Instruction {
        let code: UInt16
        let stepsIfTrue: UInt8
        let stepsIfFalse: UInt8
        let operand: UInt32
    }

    /// Never freed: the program is made once.
    private init(_ instructions: [Instruction]) {
        length = UInt16(instructions.count)
        let memory = UnsafeMutablePointer<Instruction>.allocate(capacity: instructions.count)
        memory.initialize(from: instructions, count: instructions.count)
        self.instructions = UnsafePointer(memory)
    }

    /// Drops segments with the flag SYN (RFC 9293, section 3.1: bit 1 of byte 13) and takes all others whole.
    static let withoutSYN = PacketFilter([
        Instruction(code: 0x30, stepsIfTrue: 0, stepsIfFalse: 0, operand: 13),  // BPF_LD | BPF_B | BPF_ABS
        Instruction(code: 0x45, stepsIfTrue: 0, stepsIfFalse: 1, operand: 0x02),  // BPF_JMP | BPF_JSET | BPF_K
        Instruction(code: 0x06, stepsIfTrue: 0, stepsIfFalse: 0, operand: 0),  // BPF_RET | BPF_K
        Instruction(code: 0x06, stepsIfTrue: 0, stepsIfFalse: 0, operand: .max),
    ])
}
