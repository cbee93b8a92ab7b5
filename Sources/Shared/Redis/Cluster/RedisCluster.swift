import Logging
import NIOCore
import Synchronization

/// A Redis Cluster: sends each command to the server that has its key's slot, and follows slots that move (Redis Cluster specification).
///
/// Where the slots are is asked at the start, whenever a server says that one has moved, while a server that has slots cannot be reached,
/// and from time to time. A command is sent on only when a server has answered that it did not run it.
final class RedisCluster: Sendable {
    private struct Server {
        let node: RedisNode
        let presence: RedisPresence
        /// When it was last known to be one of the cluster's.
        var wanted = ContinuousClock.now
    }

    private struct State {
        var map: SlotMap?
        var servers: [RedisConfiguration.Endpoint: Server] = [:]
        var tookOver: ContinuousClock.Instant?
        var asked: ContinuousClock.Instant?
        var isStale = true
        /// Commands wait for the first map, but not when they have once waited in vain.
        var isPatient = true
        var isClosed = false
    }

    private static let interval = Duration.seconds(10)
    private static let intervalInTrouble = Duration.milliseconds(500)
    /// How long a server without slots is kept: one that takes a slot over has none at first.
    private static let grace = Duration.seconds(60)
    private static let retryPause = TimeAmount.milliseconds(20)
    private static let quickHops = 3

    private let configuration: RedisConfiguration
    private let eventLoops: [any EventLoop]
    private let connections: RedisConnectionCount
    private let observer: (any RedisObserver)?
    private let logger: Logger
    /// Of the cluster as a whole: says that no server tells where the slots are.
    private let presence: RedisPresence
    /// Asked when no server of the map answers.
    private let seeds: [(endpoint: RedisConfiguration.Endpoint, node: RedisNode, presence: RedisPresence)]
    private let state = Mutex(State())
    private let turn = Atomic<UInt>(0)

    init(
        _ configuration: RedisConfiguration, seeds: [RedisConfiguration.Endpoint], eventLoops: [any EventLoop], logger: Logger,
        observer: (any RedisObserver)?
    ) {
        self.configuration = configuration
        self.eventLoops = eventLoops
        self.observer = observer
        self.logger = logger
        connections = RedisConnectionCount(observer: observer)
        presence = RedisPresence(address: configuration.description, logger: logger, connections: connections)
        // That a seed is away matters only when no server answers, and is told then.
        let silent = Logger(label: "seed") { _ in SwiftLogNoOpLogHandler() }
        self.seeds = seeds.map { endpoint in
            let presence = RedisPresence(address: endpoint.description, logger: silent, connections: RedisConnectionCount(observer: nil))
            let node = RedisNode(
                configuration, target: .server(endpoint), eventLoops: [eventLoops[0]], presence: presence, observer: nil)
            return (endpoint, node, presence)
        }
    }

    // MARK: Life

    func open() { for seed in seeds { seed.node.open() } }

    /// Keeps the map true until cancelled.
    func keep() async {
        while !Task.isCancelled {
            if isDue { await refresh() }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    func close() async {
        let servers = state.withLock { state in
            state.isClosed = true
            return state.servers.values.map(\.node)
        }
        for node in servers + seeds.map(\.node) { await node.close() }
    }

    /// Whether every server that has slots can be reached.
    var isAvailable: Bool {
        state.withLock { state in state.map.map { $0.servers.allSatisfy { state.servers[$0]?.node.isReady ?? false } } ?? false }
    }

    /// When a server came back last, or one that had no slots before took some over.
    var returned: ContinuousClock.Instant? {
        state.withLock { state in (state.servers.values.map(\.presence.returned) + [state.tookOver]).compactMap { $0 }.max() }
    }

    // MARK: Sending

    func send(_ command: RedisCommand, near key: String? = nil, _ waiter: RedisWaiter, on eventLoop: (any EventLoop)? = nil) {
        let slot = command.slot ?? key.map { KeySlot.of($0) }
        send(RoutedCommand(command, slot: slot, waiter: waiter, on: eventLoop, deadline: deadline(), cluster: self))
    }

    func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument], _ waiter: RedisWaiter, on eventLoop: (any EventLoop)? = nil
    ) {
        let call = RedisScriptCall(script, keys: keys, arguments: arguments, waiter: waiter)
        let slot = keys.first.map { KeySlot.of($0) }
        send(RoutedCommand(call.bySHA1, script: call, slot: slot, waiter: waiter, on: eventLoop, deadline: deadline(), cluster: self))
    }

    /// Those for one server are sent in one flush, on one connection.
    func send(_ commands: [RedisCommand], _ replies: RedisReplies) {
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        let eventLoop = eventLoops.first { $0.inEventLoop } ?? eventLoops[Int(start % UInt(eventLoops.count))]
        for (index, command) in commands.enumerated() {
            send(
                RoutedCommand(
                    command, slot: command.slot, waiter: .part(replies), index: index, on: eventLoop, deadline: deadline(), cluster: self))
        }
    }

    /// The servers that have slots.
    func primaries() -> [(endpoint: RedisConfiguration.Endpoint, node: RedisNode)] {
        state.withLock { state in (state.map?.servers ?? []).compactMap { endpoint in state.servers[endpoint].map { (endpoint, $0.node) } }
        }
    }

    private func deadline() -> NIODeadline { .now() + TimeAmount(configuration.commandTimeout) }

    private enum Route {
        case to(RedisNode)
        case later, nowhere, closed
    }

    private func send(_ call: RoutedCommand) {
        switch route(call) {
        case .to(let node): send(call, to: node)
        case .later: sendLater(call)
        case .nowhere: call.settle(.failure(RedisError(.unavailable, command: call.command.name)))
        case .closed: call.settle(.failure(RedisError(.closed, command: call.command.name)))
        }
    }

    private func route(_ call: RoutedCommand) -> Route {
        state.withLock { state in
            if state.isClosed { return .closed }
            guard let map = state.map else {
                if NIODeadline.now() >= call.deadline { state.isPatient = false }
                return state.isPatient ? .later : .nowhere
            }
            if let slot = call.slot {
                return map.owner(of: slot).flatMap { state.servers[$0] }.map { .to($0.node) } ?? .nowhere
            }
            let nodes = map.servers.compactMap { state.servers[$0]?.node }
            return (nodes.first(where: \.isReady) ?? nodes.first).map { .to($0) } ?? .nowhere
        }
    }

    private func send(_ call: RoutedCommand, to node: RedisNode) {
        link(to: node, for: call).send(call.command, .routed(call))
    }

    private func link(to node: RedisNode, for call: RoutedCommand) -> RedisLink {
        call.eventLoop.map(node.link(on:)) ?? node.linkOfAnyThread()
    }

    private func sendLater(_ call: RoutedCommand) {
        eventLoops[0].scheduleTask(in: Self.retryPause) { self.send(call) }
    }

    // MARK: Sending on

    /// Sends a command on that `server` has answered with `error` and not run.
    /// - Returns: `false` when the error is no redirection, or there is no time left.
    func sendOn(_ call: RoutedCommand, after error: RedisServerError, of server: RedisConfiguration.Endpoint) -> Bool {
        guard ["MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"].contains(error.code), NIODeadline.now() < call.deadline else { return false }
        guard let redirection = Redirection(error, of: server) else {
            // A slot on its way has some of the keys here and some there; a cluster that is down elects a primary.
            if error.code == "CLUSTERDOWN" { state.withLock { $0.isStale = true } }
            sendLater(call)
            return true
        }
        guard let node = node(at: redirection, isMove: error.code == "MOVED") else { return false }
        if error.code == "ASK" {
            link(to: node, for: call).sendAsking(call.bySource ?? call.command, .routed(call))
        } else if call.countHop() < Self.quickHops {
            send(call, to: node)
        } else {
            // Two servers that send to each other have not agreed yet.
            sendLater(call)
        }
        return true
    }

    private func node(at redirection: Redirection, isMove: Bool) -> RedisNode? {
        state.withLock { state in
            if state.isClosed { return nil }
            let node = server(redirection.server, &state).node
            if isMove {
                state.isStale = true
                if state.map?.servers.contains(redirection.server) == false { state.tookOver = .now }
                state.map?.move(redirection.slot, to: redirection.server)
            }
            return node
        }
    }

    private func server(_ endpoint: RedisConfiguration.Endpoint, _ state: inout State) -> Server {
        state.servers[endpoint]?.wanted = .now
        if let server = state.servers[endpoint] { return server }
        let presence = RedisPresence(address: endpoint.description, logger: logger, connections: connections)
        let node = RedisNode(
            configuration, target: .server(endpoint), eventLoops: eventLoops, presence: presence, observer: observer)
        node.open()
        let server = Server(node: node, presence: presence)
        state.servers[endpoint] = server
        return server
    }

    // MARK: The map

    private var isDue: Bool {
        let isAvailable = isAvailable
        return state.withLock { state in
            guard let asked = state.asked, !state.isStale else { return true }
            return asked.duration(to: .now) >= (isAvailable ? Self.interval : Self.intervalInTrouble)
        }
    }

    /// Asks servers in turn, in any order: one that is cut off from the others may know no better.
    private func refresh() async {
        let known = primaries().filter(\.node.isReady).shuffled() + seeds.filter(\.node.isReady).map { ($0.endpoint, $0.node) }
        state.withLock { state in
            state.asked = .now
            state.isStale = state.map == nil
        }
        var trouble: String?
        for (endpoint, node) in known {
            switch await node.reply(to: RedisCommand("CLUSTER", "SLOTS")) {
            case .success(let reply):
                if let map = SlotMap(reply, of: endpoint) { return await apply(map) }
                trouble = "\(endpoint): the cluster has no slots yet"
            case .failure(let error): trouble = "\(endpoint): \(error)"
            }
        }
        if let trouble = trouble ?? seeds.lazy.compactMap(\.presence.trouble).first { presence.failed(trouble) }
    }

    private func apply(_ map: SlotMap) async {
        let gone = state.withLock { state -> [RedisNode] in
            if state.isClosed { return [] }
            let before = state.map
            for endpoint in map.servers { _ = server(endpoint, &state) }
            state.map = map
            if let before, !Set(map.servers).isSubset(of: before.servers) { state.tookOver = .now }
            let gone = state.servers.filter { endpoint, server in
                !map.servers.contains(endpoint) && (!server.node.isReady || server.wanted.duration(to: .now) > Self.grace)
            }
            for endpoint in gone.keys { state.servers[endpoint] = nil }
            return gone.values.map(\.node)
        }
        for node in gone { await node.close() }
    }
}
