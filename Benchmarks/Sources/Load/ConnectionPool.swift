package import NIOCore
package import NIOHTTP1
import NIOPosix

/// Kept-alive connections to some servers, shared by all who ask: a request takes one that is free and waits while there is none, so that
/// many more can be about than there are file descriptors. Lives on one event loop.
package final class ConnectionPool {
    package typealias Completion = (Answer) -> Void

    private struct Request {
        let head: HTTPRequestHead
        let body: ByteBuffer?
        let completion: Completion
    }

    private let eventLoop: any EventLoop
    private let bootstrap: ClientBootstrap
    private let servers: [(host: String, port: Int)]
    private var free: [RequestHandler] = []
    private var waiting = CircularBuffer<Request>()
    private var nextServer = 0
    /// Connections that may still be opened.
    private var unopened: Int

    /// - Parameter servers: `host:port` each; connections are spread over them evenly.
    package init(servers: [String], connections: Int, on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.servers = servers.map { server in
            let parts = server.split(separator: ":")
            guard parts.count == 2, let port = Int(parts[1]) else { end(usage: "\(server) is not host:port") }
            return (String(parts[0]), port)
        }
        unopened = connections
        bootstrap = ClientBootstrap(group: eventLoop)
    }

    /// Sends a request as soon as a connection is free. It is not sent again when the connection is lost: the answer has status 0 then.
    package func send(_ method: HTTPMethod, _ path: String, headers: HTTPHeaders, body: ByteBuffer? = nil, completion: @escaping Completion)
    {
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        if let body { head.headers.add(name: "Content-Length", value: String(body.readableBytes)) }
        let request = Request(head: head, body: body, completion: completion)
        if let handler = free.popLast() {
            give(request, to: handler)
        } else {
            waiting.append(request)
            if unopened > 0 { open() }
        }
    }

    private func give(_ request: Request, to handler: RequestHandler) {
        handler.send(request.head, request.body) { [unowned self] answer, isOpen in
            if !isOpen {
                unopened += 1
            } else if let next = waiting.popFirst() {
                give(next, to: handler)
            } else {
                free.append(handler)
            }
            request.completion(answer)
            if !waiting.isEmpty, unopened > 0 { open() }
        }
    }

    private func open() {
        unopened -= 1
        let server = servers[nextServer % servers.count]
        nextServer += 1
        let pool = NIOLoopBound(self, eventLoop: eventLoop)
        bootstrap.connect(host: server.host, port: server.port).flatMapThrowing { channel in
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            let handler = RequestHandler(channel)
            try channel.pipeline.syncOperations.addHandler(handler)
            return NIOLoopBound(handler, eventLoop: channel.eventLoop)
        }.whenComplete { result in
            switch result {
            case .success(let handler): pool.value.opened(handler.value)
            case .failure: pool.value.failedToOpen()
            }
        }
    }

    private func opened(_ handler: RequestHandler) {
        handler.onIdleClose = { [unowned self] in
            free.removeAll { $0 === handler }
            unopened += 1
        }
        if let request = waiting.popFirst() { give(request, to: handler) } else { free.append(handler) }
    }

    private func failedToOpen() {
        unopened += 1
        waiting.popFirst()?.completion(Answer())
    }
}

/// One connection: one request at a time.
private final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let channel: any Channel
    private var completion: ((Answer, _ isOpen: Bool) -> Void)?
    private var answer = Answer()
    private var isKeptAlive = true
    /// Called when the server closes it between requests.
    var onIdleClose: () -> Void = {}

    init(_ channel: any Channel) { self.channel = channel }

    func send(_ head: HTTPRequestHead, _ body: ByteBuffer?, completion: @escaping (Answer, _ isOpen: Bool) -> Void) {
        self.completion = completion
        answer = Answer()
        let pipeline = channel.pipeline.syncOperations
        pipeline.write(NIOAny(HTTPClientRequestPart.head(head)), promise: nil)
        if let body { pipeline.write(NIOAny(HTTPClientRequestPart.body(.byteBuffer(body))), promise: nil) }
        pipeline.writeAndFlush(NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer.status = Int(head.status.code)
            isKeptAlive = head.isKeepAlive
            if answer.status != 200 { answer.retryAfterSeconds = head.headers.first(name: "Retry-After").flatMap(Int.init) }
        case .body(var part): answer.body.writeBuffer(&part)
        case .end:
            guard let completion else { return }
            self.completion = nil
            if !isKeptAlive { context.close(promise: nil) }
            completion(answer, isKeptAlive)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        if let completion {
            self.completion = nil
            completion(Answer(), false)
        } else if isKeptAlive {
            onIdleClose()
        }
    }
}
