import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("The API's description", .serialized)
struct OpenAPIRoutesTests {
    @Test("every route is in it, once, and nothing else")
    func complete() async throws {
        try await withGateway(["PUBLIC_URL": "https://wait.example"]) { site in
            let answer = try await site.call(.get, "/openapi.json")
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "application/json")
            let document = answer.json
            #expect(document["openapi"] == "3.1.0")
            #expect(document["servers"] == [["url": "https://wait.example"]])
            let described = (document["paths"]?.keys ?? []).flatMap { path in
                (document["paths"]?[path]?.keys ?? []).map { "\($0) \(path)" }
            }
            let served = gatewayRoutes(site.room).routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" }
            #expect(described.sorted() == served.sorted())
            #expect(described.contains("get /openapi.json"))
            #expect(described.allSatisfy { !$0.hasPrefix("head") && !$0.hasPrefix("options") })
        }
    }

    @Test("operations have names of their own, tags that are listed, and answers")
    func operations() async throws {
        try await withGateway { site in
            let document = try await site.call(.get, "/openapi.json").json
            let tags = Set(document["tags"]?.all("name") ?? [])
            var names: [String] = []
            for path in document["paths"]?.keys ?? [] {
                for method in document["paths"]?[path]?.keys ?? [] {
                    let operation = try #require(document["paths"]?[path]?[method])
                    names.append(try #require(operation["operationId"]?.string))
                    #expect(operation["tags"]?.array?.allSatisfy { tags.contains($0.string ?? "") } == true)
                    #expect(operation["responses"]?.keys.contains { $0.hasPrefix("2") || ["302", "410"].contains($0) } == true)
                    let parameters = operation["parameters"]?.array ?? []
                    for part in path.split(separator: "/") where part.hasPrefix("{") {
                        #expect(parameters.contains { $0["in"] == "path" && $0["name"] == .string(String(part.dropFirst().dropLast())) })
                    }
                }
            }
            #expect(Set(names).count == names.count)
            let rotate = document["paths"]?["/applications/{id}/rotate_keys"]?["post"]
            #expect(rotate?["operationId"] == "post_applications_id_rotate_keys")
            #expect(rotate?["security"] == [["bearer": []]])
            #expect(rotate?["requestBody"]?["required"] == false)
            #expect(rotate?["responses"]?.keys == ["200", "401", "403", "404", "413", "415", "422", "429", "503"])
            #expect(document["paths"]?["/join"]?["post"]?["security"] == [["apiKey": []]])
        }
    }

    @Test("every reference leads to a schema")
    func references() async throws {
        try await withGateway { site in
            let document = try await site.call(.get, "/openapi.json").json
            let schemas = Set(document["components"]?["schemas"]?.keys ?? [])
            var wanted: Set<String> = []
            func collect(_ value: JSON) {
                switch value {
                case .object(let members):
                    for member in members {
                        if member.key == "$ref", let name = member.value.string?.split(separator: "/").last { wanted.insert(String(name)) }
                        collect(member.value)
                    }
                case .array(let values): values.forEach(collect)
                default: break
                }
            }
            collect(document)
            #expect(wanted.isSubset(of: schemas))
            #expect(schemas.subtracting(wanted).isEmpty)
        }
    }

    @Test("the schemas say what the service answers, key by key")
    func schemasMatch() async throws {
        try await Office.with { office in
            let document = try await office.site.call(.get, "/openapi.json").json
            func required(_ schema: String) -> [String] {
                (document["components"]?["schemas"]?[schema]?["required"]?.array ?? []).compactMap(\.string)
            }
            try await office.join(office.one, 1)
            let calls: [(String, String)] = [
                ("App", "/applications/one"), ("Queue", "/queues/main"), ("Me", "/auth/me"), ("Summary", "/dashboard/summary"),
                ("Analytics", "/dashboard/analytics"), ("Health", "/health"), ("QueueStats", "/dashboard/queue_stats"),
                ("Entry", "/queue_users?queue_id=\(office.one.queue.id)"),
            ]
            for (schema, path) in calls {
                let json = try await office.site.call(.get, path, as: office.one.admin).json
                let keys = (json.array?.first ?? json).keys
                #expect(Array(keys.prefix(required(schema).count)) == required(schema))
                #expect(!required(schema).isEmpty)
            }
            let error = try await office.site.call(.get, "/queues/none", as: office.one.admin)
            #expect(error.json.keys == required("Error"))
            let invalid = try await office.site.call(.get, "/queues?limit=0", as: office.one.admin)
            #expect(invalid.json.keys == required("ValidationError"))
        }
    }

    @Test("the documentation is a page that loads nothing foreign; what it names is there")
    func docs() async throws {
        try await withGateway { site in
            let page = try await site.call(.get, "/docs")
            #expect(page.status == 200)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
            for path in ["/scripts/docs.js", "/styles/anteroom.css", "/openapi.json"] {
                #expect(page.text.contains("\"\(path)\""))
                try await site.expect(200, .get, path)
            }
            try await site.expect(200, .head, "/docs")
            try await site.expect(405, .post, "/docs")
        }
    }

    @Test("one who has it already is told so")
    func cached() async throws {
        try await withGateway { site in
            let tag = try #require(try await site.call(.get, "/openapi.json").headers[.eTag])
            try await site.expect(304, .get, "/openapi.json", headers: [.ifNoneMatch: tag])
        }
    }
}
