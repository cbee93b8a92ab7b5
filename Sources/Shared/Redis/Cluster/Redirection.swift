/// What a server of a cluster answers when a slot is not its own: `MOVED <slot> <host>:<port>`, or `ASK …` for this one command.
struct Redirection: Equatable {
    let slot: Int
    let server: RedisConfiguration.Endpoint

    init?(_ error: RedisServerError, of server: RedisConfiguration.Endpoint) {
        let words = error.message.split(separator: " ")
        // A host may be an IPv6 address, without brackets, or left out.
        guard words.count >= 2, let slot = Int(words[0]), (0..<KeySlot.count).contains(slot), let colon = words[1].lastIndex(of: ":"),
            let port = Int(words[1][words[1].index(after: colon)...])
        else { return nil }
        let host = words[1][..<colon]
        self.slot = slot
        self.server = SlotMap.endpoint(host: host.isEmpty || host == "?" ? nil : String(host), port: port, saidBy: server)
    }
}
