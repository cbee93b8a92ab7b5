import Crypto
import Foundation
import HTTPTypes
import Redis
import TestSupport
import Testing
import WaitingRoom

@Suite("Callbacks end to end", .serialized)
struct CallbackDeliveryTests {
    @Test("a callback has the six keys of QMS first, is signed, and is tried again with the same id")
    func signedAndRepeated() async throws {
        let receiver = Receiver { $0 <= 2 ? .internalServerError : .ok }
        try await receiver.run {
            try await Installation.with { site in
                let token = try await site.signIn()
                let shop = try await site.application(token, callbackURL: receiver.url)
                let queue = try await site.queue(
                    token, of: shop, ratePerMinute: 600, more: [.init("redirect_url", "http://127.0.0.1/in")])
                let joined = try await site.join(queue, of: shop, visitor: "v\"1").json
                try await site.releaser()
                try await eventually("the third attempt") { receiver.all.count == 3 }
                let call = receiver.all[2]
                #expect(Set(receiver.all.map(\.id)).count == 1)
                guard case .object(let members) = call.body else { throw TimedOutBody() }
                #expect(
                    members.map(\.key) == [
                        "token", "visitor_id", "queue_id", "status", "wait_time", "redirect_url", "entry_id", "released_at", "pass",
                    ])
                #expect(call.body["token"] == joined["token"])
                #expect(call.body["visitor_id"] == "v\"1")
                #expect(call.body["redirect_url"] == "http://127.0.0.1/in")
                #expect(call.body["entry_id"] == joined["id"])
                let key = try #require(Data(base64Encoded: String(shop.secretKey.dropFirst("whsec_".count))))
                let code = HMAC<SHA256>.authenticationCode(
                    for: Data("\(call.id).\(call.timestamp).\(call.text)".utf8), using: SymmetricKey(data: key))
                #expect(call.signature == "v1,\(Data(code).base64EncodedString())")
            }
        }
    }

    @Test("one that never succeeds is dead-lettered and shows in the dashboard; redirects are not followed")
    func deadLetter() async throws {
        let receiver = Receiver { _ in .found }
        try await receiver.run {
            try await Installation.with(environment: ["CALLBACK_MAX_ATTEMPTS": "2"]) { site in
                let token = try await site.signIn()
                let shop = try await site.application(token, callbackURL: receiver.url)
                let queue = try await site.queue(token, of: shop, ratePerMinute: 600)
                _ = try await site.join(queue, of: shop, visitor: "v")
                try await site.releaser()
                try await eventually("it is in the list") {
                    try await site.get("/dashboard/callback_errors", bearer: token).json.array?.count == 1
                }
                let error = try #require(try await site.get("/dashboard/callback_errors", bearer: token).json.array?.first)
                #expect(error["queue_id"]?.string == queue.description)
                #expect(error["application_id"]?.string == shop.id)
                #expect(receiver.all.count == 2)
            }
        }
    }

    @Test("a receiver that hangs delays neither releases nor another application's callbacks")
    func isolation() async throws {
        let hanging = Receiver { _ in
            try? await Task.sleep(for: .seconds(120))
            return .ok
        }
        let quick = Receiver()
        try await hanging.run {
            try await quick.run {
                try await Installation.with(environment: ["CALLBACK_CONCURRENCY": "4", "CALLBACK_TIMEOUT_SECONDS": "60"]) { site in
                    let token = try await site.signIn()
                    let bad = try await site.application(token, callbackURL: hanging.url)
                    let good = try await site.application(token, callbackURL: quick.url)
                    let badQueue = try await site.queue(token, of: bad, ratePerMinute: 60_000)
                    let goodQueue = try await site.queue(token, of: good, ratePerMinute: 60_000)
                    for index in 0..<20 { _ = try await site.join(badQueue, of: bad, visitor: "v\(index)") }
                    try await site.releaser()
                    try await eventually("the hanging receiver is called") { !hanging.all.isEmpty }
                    for index in 0..<20 { _ = try await site.join(goodQueue, of: good, visitor: "v\(index)") }
                    try await eventually("all of the other's are delivered", within: .seconds(30)) { quick.all.count == 20 }
                }
            }
        }
    }

    private struct TimedOutBody: Error {}
}
