import Logging
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Catalogue")
struct CatalogueTests {
    @Test("two changes of different settings, each made from what was read before, both hold")
    func changes() async throws {
        try await Line.with { line in
            let before = try #require(try await line.queues.get(line.queue.id))
            var (slower, told) = (before, before)
            slower.ratePerMinute = 3
            told.message = "Soon"
            #expect(try await line.queues.update(slower, from: before))
            #expect(try await line.queues.update(told, from: before))
            let after = try #require(try await line.queues.get(line.queue.id))
            #expect(after.ratePerMinute == 3)
            #expect(after.message == "Soon")
        }
    }

    @Test("a deleted queue is not changed, not even by nothing")
    func deleted() async throws {
        try await Line.with { line in
            let before = try #require(try await line.queues.get(line.queue.id))
            #expect(try await line.queues.update(before, from: before))
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 24))
            #expect(try await line.queues.update(before, from: before) == false)
            #expect(try await line.queues.update(before) == false)
        }
    }

    @Test("what a deleted queue holds is forgotten an hour after the retention time, should no worker remove it")
    func deletedQueue() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.join("w")
            try await line.releaseOne()
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 2))
            let pattern = RedisArgument.string("{q:\(line.queue.id.compact)}:*")
            let keys = try await line.redis.send(RedisCommand("KEYS", pattern)).array?.compactMap(\.string) ?? []
            #expect(keys.contains(line.keys.waiting) && keys.contains(line.keys.ready))
            for key in keys where key != line.keys.settings {
                let left = try #require(try await line.redis.send(RedisCommand("TTL", .string(key))).integer)
                #expect((10700...10800).contains(left), "\(key)")
            }
        }
    }

    @Test("made-up ids are not remembered for longer than they keep Redis from being asked")
    func forgotten() async throws {
        let cache = FreshCache<Int>()
        for _ in 0..<1500 { cache.store(nil, for: .random()) }
        #expect(cache.count == 1500)
        try await Task.sleep(for: FreshCache<Int>.life)
        let known = Identifier.random()
        cache.store(7, for: known)
        for _ in 0..<1500 where cache.count > 1400 { cache.store(nil, for: .random()) }
        #expect(cache.count <= 1400)
        #expect(cache.fresh(known) == .some(7))
    }

    @Test("a rate can be changed while memory is full")
    func memoryFull() async throws {
        try await Line.with { line in
            _ = try await line.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            var queue = line.queue
            queue.ratePerMinute = 6000
            let isChanged = try await line.queues.update(queue, from: line.queue)
            #expect(isChanged)
            let verdict = try await AttemptLimit(redis: line.redis).attempt("poll:x", perMinute: 5)
            #expect(verdict == .allowed(left: 4))
            let log = AuditLog(redis: line.redis)
            try await log.append(
                AuditLine(actor: "a", action: "queue.update", target: queue.id, tenant: nil, before: .null, after: .null, requestID: "r"))
            #expect(try await log.list(of: nil, limit: 1).count == 1)
        }
    }

    @Test("a queue whose slug is taken is in no index")
    func taken() async throws {
        try await Line.with { line in
            let tenant = line.queue.tenant
            let one = try await line.queues.create(tenant: tenant, name: "One", slug: "same")
            let two = try await line.queues.create(tenant: tenant, name: "Two", slug: "same")
            #expect(one != nil)
            #expect(two == nil)
            for queues in [try await line.queues.list(of: tenant), try await line.queues.list()] {
                #expect(queues.filter { $0.name == "One" }.count == 1)
                #expect(!queues.contains { $0.name == "Two" })
            }
        }
    }

    @Test(
        "a tenant, its queue and an account that Redis has lost are given back to whoever asks, by id, by name or by list, in their order")
    func lost() async throws {
        try await Line.with { line in
            let memory = CatalogueMemory()
            let tenants = Tenants(redis: line.redis, secret: line.secret, memory: memory)
            let queues = Queues(redis: line.redis, secret: line.secret, memory: memory)
            let accounts = Accounts(redis: line.redis, passwordHash: PasswordHash(logN: 4), memory: memory)
            let second = try #require(try await tenants.create(.init(name: "Second", domain: "b.example", slug: "second"))).tenant
            let queue = try #require(try await queues.create(tenant: second.id, name: "Line", slug: "line"))
            let account = try #require(
                try await accounts.create(email: "a@b.example", password: "a-good-password", role: .viewer, tenant: second.id))
            try await CatalogueKeeper(queues: queues, keptSecret: nil, logger: .init(label: "test")).keep()
            for flushed in 1...5 {
                _ = try await line.redis.send(RedisCommand("FLUSHALL"))
                switch flushed {
                case 1:
                    #expect(try await tenants.get(second.id) == second)
                    #expect(try await queues.get(queue.id)?.name == "Line")
                case 2:
                    #expect(try await tenants.find("second")?.id == second.id)
                    #expect(try await queues.find("line", of: second.id)?.id == queue.id)
                case 3:
                    #expect(try await tenants.list().map(\.id) == [line.tenant.id, second.id])
                    #expect(try await queues.list().map(\.id) == [line.queue.id, queue.id])
                    #expect(try await queues.list(of: second.id).map(\.id) == [queue.id])
                case 4: #expect(try await accounts.signIn(email: "a@b.example", password: "a-good-password")?.id == account.id)
                default:
                    try await CatalogueKeeper(queues: queues, keptSecret: line.secret, logger: .init(label: "test")).keep()
                    // A process that knows nothing sees all of it.
                    let other = Queues(redis: line.redis, secret: line.secret)
                    #expect(try await other.list().map(\.id) == [line.queue.id, queue.id])
                    let kept = try await line.redis.send(RedisCommand("GET", .string(CatalogueKeys.secret))).string
                    #expect(kept == String(repeating: "k", count: 32))
                }
            }
        }
    }

    @Test("a process keeps up with what others make, and with what they change when it compares all")
    func keptUp() async throws {
        try await Line.with { line in
            let memory = CatalogueMemory()
            let here = Queues(redis: line.redis, secret: line.secret, memory: memory)
            let keeper = CatalogueKeeper(queues: here, keptSecret: nil, logger: .init(label: "test"))
            try await keeper.keepUp()
            #expect(memory.queues() == [ListedQueue(id: line.queue.id, tenant: line.tenant.id, isServed: true)])
            var made: Set<Identifier> = [line.queue.id]
            for _ in 0..<40 { made.insert(try #require(try await line.queues.create(tenant: line.tenant.id, name: "One more")).id) }
            try await keeper.keepUp()
            #expect(Set(memory.queues().map(\.id)) == made)

            let version = memory.version
            try await keeper.keep()
            #expect(memory.version == version)
            var faster = line.queue
            faster.ratePerMinute = 77
            #expect(try await line.queues.update(faster, from: line.queue))
            var off = line.tenant
            off.isActive = false
            #expect(try await line.tenants.update(off, from: line.tenant))
            try await keeper.keep()
            #expect(memory.version > version)
            #expect(here.lastKnown(line.queue.id)?.ratePerMinute == 77)
            #expect(memory.queues().allSatisfy { !$0.isServed })
        }
    }

    @Test("an older state is replaced by the one that is known, never a newer one; what was deleted stays deleted")
    func older() async throws {
        try await Line.with { line in
            var faster = line.queue
            faster.ratePerMinute = 77
            let settings = RedisArgument.string(line.keys.settings)
            let old = try await line.redis.send(RedisCommand("DUMP", settings))
            guard case .bulk(let bytes) = old else { return #expect(Bool(false)) }
            #expect(try await line.queues.update(faster, from: line.queue))
            _ = try await line.redis.send(RedisCommand("RESTORE", settings, 0, .bytes(bytes), "REPLACE"))
            #expect(try await line.queues.get(line.queue.id)?.ratePerMinute == 77)

            var newest = faster
            newest.ratePerMinute = 99
            let elsewhere = Queues(redis: line.redis, secret: line.secret)
            #expect(try await elsewhere.update(newest, from: faster))
            #expect(try await line.queues.get(line.queue.id)?.ratePerMinute == 99)

            #expect(try await line.queues.delete(line.queue.id, retentionHours: 1))
            _ = try await line.redis.send(RedisCommand("RESTORE", settings, 0, .bytes(bytes), "REPLACE"))
            #expect(try await line.queues.get(line.queue.id) == nil)
            #expect(try await elsewhere.get(line.queue.id) == nil)
        }
    }

    @Test("an account that another gateway deleted does not come back from memory")
    func deletedAccount() async throws {
        try await withRedis { _, redis in
            let here = Accounts(redis: redis, passwordHash: PasswordHash(logN: 4))
            let there = Accounts(redis: redis, passwordHash: PasswordHash(logN: 4))
            let account = try #require(try await here.create(email: "a@b.example", password: "a-good-password", role: .viewer, tenant: nil))
            #expect(try await there.delete(account))
            #expect(try await here.get(account.id) == nil)
            #expect(try await here.list().isEmpty)
            #expect(try await here.find(email: "a@b.example") == nil)
            #expect(try await here.create(email: "a@b.example", password: "a-good-password", role: .viewer, tenant: nil) != nil)
        }
    }

    @Test("the catalogue written to a file and read into an empty Redis is the same; a file that is none says so")
    func file() async throws {
        try await Line.with { line in
            let text = try await CatalogueFile.export(from: line.queues).text
            #expect(text.contains("Drop"))
            _ = try await line.redis.send(RedisCommand("FLUSHALL"))
            let empty = Queues(redis: line.redis, secret: line.secret)
            let written = try await CatalogueFile(text: text).import(to: empty)
            #expect(written == 2)
            #expect(try await empty.get(line.queue.id)?.name == "Drop")
            #expect(try await Tenants(redis: line.redis, secret: line.secret).get(line.tenant.id) == line.tenant)
            let repeated = try await CatalogueFile(text: text).import(to: empty)
            #expect(repeated == 0)
            #expect(throws: CatalogueFileError.self) { try CatalogueFile(text: "{}") }
            #expect(throws: CatalogueFileError.self) {
                try CatalogueFile(text: text.replacing("\"kind\":\"queue\"", with: "\"kind\":\"desk\""))
            }
        }
    }
}
