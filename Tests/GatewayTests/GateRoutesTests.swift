import HTTPTypes
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("The gate")
struct GateRoutesTests {
    /// A queue with a visitor who was let in, and their pass.
    private struct Gate: Sendable {
        let site: Site
        let tenant: Tenant
        let queue: Queue
        let entry: Identifier
        let pass: String

        static func with(
            change: @Sendable @escaping (inout Queue) -> Void = { _ in }, _ body: @Sendable @escaping (Gate) async throws -> Void
        ) async throws {
            try await withGateway { site in
                let (tenant, _) = try await site.application()
                let queue = try await site.queue(of: tenant, rate: 60, change: change)
                let joined = try await site.join(queue, of: tenant, visitor: "v 1%é").json
                _ = try await site.room.queues.release(queue.id)
                let token = try #require(joined["token"]?.string)
                let pass = try #require(try await site.get("/queue_status?token=\(token)").json["pass"]?.string)
                let entry = try #require(joined["id"]?.string.flatMap { Identifier(uuid: $0) })
                try await body(Gate(site: site, tenant: tenant, queue: queue, entry: entry, pass: pass))
            }
        }

        func ask(_ query: String = "", uri: String? = nil, cookie: String? = nil, proto: String? = nil, queue: Queue? = nil) async throws
            -> Site.Answer
        {
            var headers: HTTPFields = [.forwardedHost: "www.shop.example"]
            if let uri { headers[.originalURI] = uri }
            if let cookie { headers[.cookie] = cookie }
            if let proto { headers[.forwardedProto] = proto }
            return try await site.get("/gate/\((queue ?? self.queue).id)\(query)", headers: headers)
        }
    }

    @Test("without a pass the visitor is sent to the waiting page, and from there back to what they had asked for")
    func waitingPage() async throws {
        try await Gate.with { gate in
            let page = "http://wait.example/wait/\(gate.queue.id)"
            let refused = try await gate.ask(uri: "/buy?size=9&queue_pass=old&x=%C3%A9", proto: "https")
            #expect(refused.status == 401)
            #expect(refused.headers[.location] == page + "?return_to=https%3A%2F%2Fwww.shop.example%2Fbuy%3Fsize%3D9%26x%3D%25C3%25A9")
            #expect(refused.headers[.setCookie] == nil && refused.headers[.cacheControl] == "no-store")
            let redirected = try await gate.ask("?mode=redirect", uri: "/buy")
            #expect(redirected.status == 302)
            #expect(redirected.headers[.location] == page + "?return_to=http%3A%2F%2Fwww.shop.example%2Fbuy")
            #expect(try await gate.ask().headers[.location] == page)
            let slugs = try await gate.site.get("/gate/\(gate.tenant.slug)/\(gate.queue.slug)")
            #expect(slugs.status == 401 && slugs.headers[.location] == page)
        }
    }

    @Test("a check that is told from memory answers as the first one did; a revocation and the time of renewal are seen")
    func fromMemory() async throws {
        try await Gate.with { gate in
            func headers(_ answer: Site.Answer) -> HTTPFields {
                var headers = answer.headers
                for name in [HTTPField.Name("X-Request-Id")!, .date] {
                    #expect(headers[name] != nil)
                    headers[name] = nil
                }
                return headers
            }
            let cookie = "theme=dark; queue_pass=\(gate.pass); lang=ar"
            let first = try await gate.ask(cookie: cookie)
            #expect(first.status == 204)
            for _ in 0..<3 {
                let again = try await gate.ask("?clean=true", uri: "/buy?size=9", cookie: cookie)
                #expect(again.status == 204 && again.text.isEmpty)
                #expect(Set(headers(again).map { "\($0)" }) == Set(headers(first).map { "\($0)" }))
            }
            try await gate.site.room.queues.revokePass(of: gate.entry, in: gate.queue.id)
            try await eventually("it is revoked") { try await gate.ask(cookie: cookie).status == 401 }
        }
    }

    @Test(
        "a foreign host is no address to return to", arguments: ["evil.example", "www.shop.example.evil.example", "a b", "x@evil.example"])
    func foreignHost(host: String) async throws {
        try await Gate.with { gate in
            let headers: HTTPFields = [.originalURI: "/buy", .forwardedHost: host]
            let answer = try await gate.site.get("/gate/\(gate.queue.id)", headers: headers)
            #expect(answer.headers[.location] == "http://wait.example/wait/\(gate.queue.id)")
        }
    }

    @Test("a pass in the address is let through and becomes a cookie, which is let through from then on")
    func pass() async throws {
        try await Gate.with { gate in
            let first = try await gate.ask(uri: "/buy?queue_pass=\(gate.pass)&size=9", proto: "https")
            #expect(first.status == 204)
            #expect(first.headers[HTTPField.Name("X-Visitor-Id")!] == "v%201%25%C3%A9")
            #expect(first.headers[HTTPField.Name("X-Entry-Id")!] == gate.entry.description)
            let cookie = try #require(first.headers[.setCookie])
            #expect(cookie.hasPrefix("queue_pass=\(gate.pass);"))
            for part in ["Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age="] { #expect(cookie.contains(part), "\(part)") }
            let later = try await gate.ask(uri: "/pay", cookie: "a=1; queue_pass=\(gate.pass); b=2")
            #expect(later.status == 204 && later.headers[.setCookie] == nil)
            #expect(later.headers[HTTPField.Name("X-Entry-Id")!] == gate.entry.description)
            let plain = try await gate.ask(uri: "/buy?queue_pass=\(gate.pass)", proto: "http")
            #expect(plain.headers[.setCookie]?.contains("Secure") == false)
        }
    }

    @Test("where the proxy wants clean addresses the pass is taken out of them first")
    func clean() async throws {
        try await Gate.with { gate in
            let first = try await gate.ask("?clean=true", uri: "/buy?a=1&queue_pass=\(gate.pass)&size=9")
            #expect(first.status == 401 && first.headers[.location] == "/buy?a=1&size=9")
            #expect(first.headers[.setCookie]?.hasPrefix("queue_pass=\(gate.pass);") == true)
            let redirected = try await gate.ask("?clean=true&mode=redirect", uri: "/?queue_pass=\(gate.pass)")
            #expect(redirected.status == 302 && redirected.headers[.location] == "/")
            // Browsers would read these as another host's.
            for path in ["//evil.example/", "/\\evil.example/", "/\t/evil.example/"] {
                let answer = try await gate.ask("?clean=true", uri: "\(path)?queue_pass=\(gate.pass)")
                #expect(answer.status == 204 && answer.headers[.location] == nil)
            }
            #expect(try await gate.ask("?clean=true", uri: "/buy", cookie: "queue_pass=\(gate.pass)").status == 204)
        }
    }

    @Test("a pass that is forged, over, revoked or of another queue lets nobody through")
    func refused() async throws {
        try await Gate.with { gate in
            let other = try await gate.site.queue(of: gate.tenant)
            let read = try #require(gate.site.room.passes.verify(gate.pass))
            let over = try gate.site.room.passes.sign(read.lasting(until: Timestamp.now().adding(seconds: -1)))
            #expect(try await gate.ask(cookie: "queue_pass=\(gate.pass)", queue: other).status == 401)
            for text in [over, gate.pass + "x", String(gate.pass.dropLast()), "x", ""] {
                #expect(try await gate.ask(cookie: "queue_pass=\(text)").status == 401)
                #expect(try await gate.ask(uri: "/?queue_pass=\(text)").status == 401)
            }
            #expect(try await gate.ask(cookie: "queue_pass=\(gate.pass)").status == 204)
            try await gate.site.room.queues.revokePass(of: gate.entry, in: gate.queue.id)
            try await eventually("the revocation is heard of") {
                try await gate.ask(cookie: "queue_pass=\(gate.pass)").status == 401
            }
        }
    }

    @Test(
        "each check lets the session last as long again, once a quarter of it has gone by; unless the queue says no",
        arguments: [true, false])
    func renewal(renews: Bool) async throws {
        try await Gate.with(change: { $0.renewsSessions = renews }) { gate in
            let read = try #require(gate.site.room.passes.verify(gate.pass))
            let late = try gate.site.room.passes.sign(read.lasting(until: Timestamp.now().adding(seconds: 100)))
            let answer = try await gate.ask(cookie: "queue_pass=\(late)")
            #expect(answer.status == 204)
            guard renews else {
                #expect(answer.headers[.setCookie] == nil)
                return
            }
            let text = try #require(answer.headers[.setCookie]?.split(separator: ";").first?.dropFirst("queue_pass=".count))
            let renewed = try #require(gate.site.room.passes.verify(String(text)))
            #expect(renewed.entry == read.entry && renewed.issued == read.issued)
            #expect(renewed.expires.milliseconds - Timestamp.now().milliseconds > 590_000)
        }
    }

    @Test("an address that is opened again does not take back a cookie that was renewed since; a pass that is shown late is renewed")
    func oldAddress() async throws {
        try await Gate.with { gate in
            let read = try #require(gate.site.room.passes.verify(gate.pass))
            let longer = try gate.site.room.passes.sign(read.lasting(until: read.expires.adding(seconds: 300)))
            let again = try await gate.ask(uri: "/?queue_pass=\(gate.pass)", cookie: "queue_pass=\(longer)")
            #expect(again.status == 204 && again.headers[.setCookie]?.hasPrefix("queue_pass=\(longer);") == true)
            // Another visit's pass is another matter.
            let other = Pass(
                tenant: read.tenant, queue: read.queue, entry: .random(), visitor: "w", issued: read.issued,
                expires: read.expires.adding(seconds: 300))
            let text = try gate.site.room.passes.sign(other)
            let shown = try await gate.ask(uri: "/?queue_pass=\(gate.pass)", cookie: "queue_pass=\(text)")
            #expect(shown.headers[.setCookie]?.hasPrefix("queue_pass=\(gate.pass);") == true)

            let late = try gate.site.room.passes.sign(read.lasting(until: Timestamp.now().adding(seconds: 100)))
            let renewed = try await gate.ask("?clean=true", uri: "/?queue_pass=\(late)")
            #expect(renewed.status == 401 && renewed.headers[.location] == "/")
            let cookie = try #require(renewed.headers[.setCookie]?.split(separator: ";").first?.dropFirst("queue_pass=".count))
            let pass = try #require(gate.site.room.passes.verify(String(cookie)))
            #expect(pass.expires > Timestamp.now().adding(seconds: 590))
        }
    }

    @Test("of many queues' passes a queue finds its own")
    func manyQueues() async throws {
        try await Gate.with { gate in
            let read = try #require(gate.site.room.passes.verify(gate.pass))
            var cookies: [String] = []
            for index in 0..<6 {
                let queue = try await gate.site.queue(of: gate.tenant)
                let pass = Pass(
                    tenant: read.tenant, queue: queue.id, entry: .random(), visitor: "v", issued: read.issued, expires: read.expires)
                let name = index == 0 ? "queue_pass" : "queue_pass_\(queue.id.compact)"
                cookies.append("\(name)=\(try gate.site.room.passes.sign(pass))")
            }
            let answer = try await gate.ask(uri: "/?queue_pass=\(gate.pass)", cookie: cookies.joined(separator: "; "))
            let own = try #require(answer.headers[.setCookie]?.split(separator: ";").first.map(String.init))
            #expect(try await gate.ask(cookie: (cookies + [own]).joined(separator: "; ")).status == 204)
        }
    }

    @Test("one browser may hold passes of several queues")
    func severalQueues() async throws {
        try await Gate.with { gate in
            let other = try await gate.site.queue(of: gate.tenant)
            let read = try #require(gate.site.room.passes.verify(gate.pass))
            let second = Pass(
                tenant: read.tenant, queue: other.id, entry: .random(), visitor: "v", issued: read.issued, expires: read.expires)
            let text = try gate.site.room.passes.sign(second)
            let answer = try await gate.ask(uri: "/?queue_pass=\(text)", cookie: "queue_pass=\(gate.pass)", queue: other)
            let cookie = try #require(answer.headers[.setCookie]?.split(separator: ";").first.map(String.init))
            #expect(!cookie.hasPrefix("queue_pass="))
            for queue in [gate.queue, other] {
                #expect(try await gate.ask(cookie: "queue_pass=\(gate.pass); \(cookie)", queue: queue).status == 204)
            }
        }
    }

    @Test("a queue that is not there, a method that is not, a wrong mode")
    func wrong() async throws {
        try await Gate.with { (gate: Gate) async throws in
            #expect(try await gate.site.get("/gate/\(Identifier.random())").status == 404)
            #expect(try await gate.site.get("/gate/nobody/nothing").status == 404)
            #expect(try await gate.ask("?mode=maybe").status == 422)
            #expect(try await gate.ask("?clean=perhaps").status == 422)
            #expect(try await gate.site.post("/gate/\(gate.queue.id)", [:]).status == 405)
        }
    }
}
