import Foundation
import NIOCore
import NIOPosix
import Synchronization

@testable import Redis

/// A server that answers as a test says, on a unix socket. It knows PING, with which every connection begins.
final class ScriptedServer: Sendable {
    enum Answer: Sendable {
        /// In one write.
        case bytes(String)
        /// In writes of one byte each.
        case slowly(String)
        /// A beginning, and then the letter x until the client has had enough.
        case endless(String)
        case nothing
        case close
    }

    let path: String
    var url: String { "unix://\(path)" }
    private let opened: Counter
    private let listener: any Channel

    /// How many connections there were so far.
    var connections: Int { opened.value }

    private init(path: String, opened: Counter, listener: any Channel) {
        self.path = path
        self.opened = opened
        self.listener = listener
    }

    /// Runs `body` with a server.
    /// - Parameter answer: what is answered to the command of a name, on the connection of a number; the first is 1.
    static func with(
        _ answer: @escaping @Sendable (_ command: String, _ connection: Int) -> Answer, _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        let path = NSTemporaryDirectory() + "scripted-\(UInt64.random(in: .min ... .max)).sock"
        let opened = Counter()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptedHandler(connection: opened.next(), answer: answer))
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        do {
            try await body(ScriptedServer(path: path, opened: opened, listener: listener))
        } catch {
            try await listener.close()
            throw error
        }
        try await listener.close()
    }
}

private final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: Int
    private let answer: @Sendable (String, Int) -> ScriptedServer.Answer
    private let reader = ReplyReader(maximumReplyBytes: 1 << 30)

    init(connection: Int, answer: @escaping @Sendable (String, Int) -> ScriptedServer.Answer) {
        self.connection = connection
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var commands: [RedisValue] = []
        try? unwrapInboundIn(data).withUnsafeReadableBytes { bytes in try reader.feed(bytes) { commands.append($0) } }
        for name in commands.compactMap({ $0.array?.first?.string }) {
            perform(name == "PING" ? .bytes("+PONG\r\n") : answer(name, connection), context)
        }
    }

    private func perform(_ answer: ScriptedServer.Answer, _ context: ChannelHandlerContext) {
        switch answer {
        case .bytes(let text): context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        case .slowly(let text):
            for byte in text.utf8 { context.writeAndFlush(NIOAny(ByteBuffer(bytes: [byte])), promise: nil) }
        case .endless(let text):
            context.write(NIOAny(ByteBuffer(string: text)), promise: nil)
            writeForEver(context)
        case .nothing: break
        case .close: context.close(promise: nil)
        }
    }

    private func writeForEver(_ context: ChannelHandlerContext) {
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer(repeating: UInt8(ascii: "x"), count: 65_536)), promise: written)
        written.futureResult.assumeIsolated().whenSuccess { self.writeForEver(context) }
    }
}

final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    @discardableResult
    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
}
