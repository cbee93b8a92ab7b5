import Load
import NIOCore
import NIOHTTP1
import NIOPosix

/// The least that a server on SwiftNIO can do: its HTTP/1 codec as the gateway sets it up, and a handler that answers with what it has ready.
/// Listens on 127.0.0.1 at the port given as argument.
@main
struct Hello {
    static func main() throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else { end(usage: "usage: hello PORT") }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let server = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(
                        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false)
                    let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
                    try pipeline.addHandler(HelloHandler(encoder: encoder))
                }
            }
        try server.bind(host: "127.0.0.1", port: port).wait().closeFuture.wait()
    }
}

private final class HelloHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    /// Below it go finished bytes, as in the gateway.
    private let encoder: ChannelHandlerContext

    init(encoder: ChannelHandlerContext) { self.encoder = encoder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        encoder.writeAndFlush(NIOAny(IOData.byteBuffer(Self.answer)), promise: nil)
    }

    private static let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n")
}
