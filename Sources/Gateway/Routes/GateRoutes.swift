import HTTPTypes
import Hummingbird
import WaitingRoom

/// Tells a website's proxy whom to let through: nginx's `auth_request`, Traefik's ForwardAuth and what others have of the kind.
struct GateRoutes {
    let room: Room

    var routes: [Route] {
        let parameters: [Operation.Parameter] = [
            .init(
                name: "mode", place: .query, schema: ["type": "string", "enum": ["auth", "redirect"], "default": "auth"],
                meaning: "redirect: 302 in place of 401, for proxies that hand the answer on to the visitor"),
            .init(
                name: "clean", place: .query, schema: ["type": "boolean", "default": false],
                meaning: "Where the pass is in the address: do not let through, but send on to the address without it, with the cookie"),
            .init(
                name: "X-Original-URI", place: .header, schema: ["type": "string"],
                meaning: "What the visitor asked the site for; X-Forwarded-Uri is the same"),
        ]
        let about = { (summary: String) in
            Operation(
                tag: "Passes", summary: summary, parameters: parameters, success: 204, failures: [302, 401, 404, 422, 503])
        }
        return [
            Route(
                .get, "/gate/{queue}", access: .anyone, about("Whether a proxy may let a request through, by the queue's id"),
                handler: { request, context in
                    try await answer(request, try await room.queue(id: try context.parameter("queue")))
                }),
            Route(
                .get, "/gate/{tenant}/{queue}", access: .anyone, about("Whether a proxy may let a request through, by slugs"),
                handler: { request, context in
                    let found = try await room.queue(try context.parameter("queue"), tenant: try context.parameter("tenant"))
                    return try await answer(request, found)
                }),
        ]
    }

    private func answer(_ request: Request, _ found: Room.Found?) async throws -> Response {
        var query = try request.queryFields()
        let mode = query.choice("mode", of: ["auth", "redirect"]) ?? "auth"
        let isCleaning = query.choice("clean", of: ["true", "false"]) == "true"
        try query.check()
        guard let (queue, tenant) = found else { throw GatewayError.queueNotFound }
        let visit = GateVisit(request, assumesSecure: room.configuration.publicURL.hasPrefix("https:"))
        let refusal: HTTPResponse.Status = mode == "redirect" ? .found : .unauthorized

        let inCookie = await passInCookie(visit, queue)
        if let text = visit.passInAddress, let shown = await good(text, for: queue) {
            // The address is that of the first visit, however often it is opened again: the cookie may have been renewed since.
            let known = inCookie.flatMap { $0.pass.entry == shown.entry && $0.pass.expires > shown.expires ? $0 : nil }
            let (text, pass) = known ?? (text, shown)
            var headers = identity(of: pass)
            headers[.setCookie] = await renewedCookie(pass, queue, visit) ?? cookie(text, pass, queue, visit)
            guard isCleaning, let target = visit.cleanTarget else { return Response(status: .noContent, headers: headers) }
            headers[.location] = target
            return Response(status: refusal, headers: headers)
        }
        if let pass = inCookie?.pass {
            var headers = identity(of: pass)
            headers[.setCookie] = await renewedCookie(pass, queue, visit)
            return Response(status: .noContent, headers: headers)
        }
        throw GatewayError(
            status: refusal, code: "no_pass", message: "No valid pass: send the visitor to the waiting page, at the address in Location",
            headers: [.location: waitingPage(queue, tenant, visit), .cacheControl: "no-store"])
    }

    /// Where the visitor is to wait, and be sent back from to what they had asked for.
    private func waitingPage(_ queue: Queue, _ tenant: Tenant, _ visit: GateVisit) -> String {
        let page = "\(room.configuration.publicURL)/wait/\(queue.id)"
        guard let address = visit.cleanAddress, WebURL.isAllowed(address, hosts: queue.returnHosts(of: tenant)) else { return page }
        return "\(page)?return_to=\(FormText.encode(address))"
    }

    private func passInCookie(_ visit: GateVisit, _ queue: Queue) async -> (text: String, pass: Pass)? {
        for text in visit.passesInCookies(for: queue.id) {
            if let pass = await good(text, for: queue) { return (text, pass) }
        }
        return nil
    }

    /// The pass that a text is, if it opens this queue's gate now.
    private func good(_ text: String, for queue: Queue) async -> Pass? {
        guard let pass = room.passes.verify(text), pass.queue == queue.id, pass.tenant == queue.tenant,
            await !room.revocations.holds(pass)
        else { return nil }
        return pass
    }

    private func identity(of pass: Pass) -> HTTPFields {
        [
            .visitorID: pass.headerVisitor, .entryID: pass.entry.description, .cacheControl: "no-store",
        ]
    }

    /// The cookie of a pass whose session lasts as long again from now; `nil` while less than a quarter of it has gone by, and where Redis
    /// cannot take note that it does, so that nobody's place inside is given to another while they are there.
    private func renewedCookie(_ pass: Pass, _ queue: Queue, _ visit: GateVisit) async -> String? {
        guard RememberedQueue(queue).isRenewalDue(of: pass),
            let end = try? await room.queues.renewSession(of: pass, seconds: queue.sessionSeconds)
        else { return nil }
        let renewed = pass.lasting(until: end)
        return (try? room.passes.sign(renewed)).map { cookie($0, renewed, queue, visit) }
    }

    private func cookie(_ text: String, _ pass: Pass, _ queue: Queue, _ visit: GateVisit) -> String {
        let left = Int((pass.expires.milliseconds - Timestamp.now().milliseconds) / 1000)
        return Cookie(
            name: visit.cookieName(for: queue.id, passes: room.passes), value: text, maxAge: max(1, left), path: "/",
            secure: visit.isSecure, httpOnly: true, sameSite: .lax
        ).description
    }
}

extension Pass {
    /// The visitor's id as a header can have it: percent-encoded where it is not visible ASCII.
    var headerVisitor: String { FormText.encode(visitor, keeping: Self.isPlainInHeader) }

    static func isPlainInHeader(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%") }
}
