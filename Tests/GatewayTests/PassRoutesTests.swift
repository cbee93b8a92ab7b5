import HTTPTypes
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("Passes over HTTP")
struct PassRoutesTests {
    private func isGood(_ pass: JSON, _ site: Site, _ bearer: String) async throws -> Bool {
        let answer = try await site.post("/passes/verify", ["pass": pass], bearer: bearer)
        let json = try answer.json
        #expect(answer.status == 200)
        #expect(json["active"] == true || json == ["active": false])
        return json["active"] == true
    }

    @Test("the one who was let in is given a pass; it is good for its application alone, until it is revoked")
    func life() async throws {
        try await Office.with { office in
            let site = office.site
            let joined = try await office.join(office.one, 2, release: 1)
            let waiting = try await site.get("/queue_status?token=\(joined[1].token)").json
            #expect(waiting["pass"] == nil)
            let ready = try await site.get("/queue_status?token=\(joined[0].token)").json
            let pass = try #require(ready["pass"]?.string)

            let good = try await site.post("/passes/verify", ["pass": .string(pass)], bearer: office.one.secret)
            #expect(try good.keys == ["active", "iss", "aud", "sub", "jti", "queue", "iat", "nbf", "exp"])
            let claims = try good.json
            #expect(claims["active"] == true && claims["sub"] == "v0" && claims["iss"] == "http://wait.example")
            #expect(claims["jti"] == ready["id"] && claims["queue"] == ready["queue_id"])
            #expect(claims["aud"] == .string(office.one.tenant.id.description))
            #expect(try await !isGood(.string(pass), site, office.other.secret))
            #expect(try await !isGood("x", site, office.one.secret))

            #expect(try await site.post("/passes/revoke", ["pass": .string(pass)], bearer: office.other.secret).status == 404)
            #expect(try await isGood(.string(pass), site, office.one.secret))
            #expect(try await site.post("/passes/revoke", ["pass": .string(pass)], bearer: office.one.secret).status == 204)
            #expect(try await !isGood(.string(pass), site, office.one.secret))
        }
    }

    @Test("a pass is revoked by its entry's id too, by its own application alone")
    func revokeByEntry() async throws {
        try await Office.with { office in
            let site = office.site
            let joined = try await office.join(office.one, 1, release: 1)
            let pass = try #require(try await site.get("/queue_status?token=\(joined[0].token)").json["pass"]?.string)
            let entry: JSON = ["entry_id": .string(joined[0].entry.id.description)]
            #expect(try await site.post("/passes/revoke", entry, bearer: office.other.secret).status == 404)
            #expect(try await site.post("/passes/revoke", entry, bearer: office.one.secret).status == 204)
            #expect(try await !isGood(.string(pass), site, office.one.secret))
        }
    }

    @Test("wrong bodies and callers; an error does not tell a pass back")
    func refused() async throws {
        try await Office.with { office in
            let site = office.site
            for path in ["/passes/verify", "/passes/revoke"] {
                #expect(try await site.post(path, ["pass": "x"]).status == 401)
                #expect(try await site.post(path, ["pass": "x"], bearer: office.one.viewer).status == 403)
                #expect(try await site.post(path, [:], bearer: office.one.secret).status == 422)
                let long = String(repeating: "s", count: PassSigner.maximumLength + 1)
                let answer = try await site.post(path, ["pass": .string(long)], bearer: office.one.secret)
                #expect(answer.status == (path == "/passes/verify" ? 200 : 422) && !answer.text.contains("sss"))
            }
            #expect(try await site.post("/passes/revoke", ["entry_id": "x"], bearer: office.one.secret).status == 422)
            #expect(try await site.post("/passes/revoke", ["pass": "x"], bearer: office.one.secret).status == 404)
        }
    }

    @Test("the keys are those that sign, without what makes signatures")
    func keys() async throws {
        try await withGateway { site in
            let answer = try await site.get("/.well-known/jwks.json")
            #expect(answer.status == 200 && answer.headers[.contentType]?.hasPrefix("application/json") == true)
            let keys = try #require(try answer.json["keys"]?.array)
            #expect(keys.count == 1 && keys[0]["kid"]?.string == site.room.passes.publicKeys[0].name && keys[0]["d"] == nil)
        }
    }

    @Test("how long a pass lasts is the queue's to say")
    func settings() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 60) { $0.sessionSeconds = 60 }
            let token = try #require(try await site.join(queue, of: tenant).json["token"]?.string)
            _ = try await site.room.queues.release(queue.id)
            let pass = try #require(try await site.get("/queue_status?token=\(token)").json["pass"]?.string)
            let read = try #require(site.room.passes.verify(pass))
            #expect(read.expires == read.issued.adding(seconds: 60))
        }
    }
}
