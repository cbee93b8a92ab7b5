import NIOCore
import NIOPosix
import Testing

@testable import Redis

@Suite struct ConfigurationTests {
    @Test(arguments: [
        ("redis://localhost", "localhost", 6379, 0), ("redis://127.0.0.1:7000/", "127.0.0.1", 7000, 0),
        ("redis://host:1/15", "host", 1, 15), ("redis://[::1]:7000/2", "::1", 7000, 2), ("redis://[::1]", "::1", 6379, 0),
    ])
    func readsTCP(_ url: String, host: String, port: Int, database: Int) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.topology == .single(.tcp(host: host, port: port)))
        #expect(configuration.database == database)
        #expect(configuration.user == nil && configuration.password == nil && configuration.tls == nil)
    }

    @Test(arguments: [("unix:///run/redis.sock", 0), ("unix:///run/redis.sock?db=3", 3)])
    func readsUnixSockets(_ url: String, database: Int) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.topology == .single(.unix(path: "/run/redis.sock")))
        #expect(configuration.database == database)
    }

    @Test(
        arguments: [
            ("redis://user:s3cret@host", "user", "s3cret"), ("redis://:s3cret@host", nil, "s3cret"),
            ("redis://us%3Aer:s%40%2Fc@host", "us:er", "s@/c"), ("redis://user:a:b@c@host", "user", "a:b@c"),
        ] as [(String, String?, String)])
    func readsCredentials(_ url: String, user: String?, password: String) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.user == user)
        #expect(configuration.password == password)
        #expect(configuration.topology == .single(.tcp(host: "host", port: 6379)))
    }

    @Test func readsSentinelClusterAndTLS() throws {
        let sentinel = try RedisConfiguration(url: "redis+sentinel://:pw@a:1,b/main/2")
        #expect(sentinel.topology == .sentinel([.tcp(host: "a", port: 1), .tcp(host: "b", port: 26_379)], primary: "main"))
        #expect(sentinel.database == 2)
        let cluster = try RedisConfiguration(url: "redis+cluster://a:1,b:2")
        #expect(cluster.topology == .cluster([.tcp(host: "a", port: 1), .tcp(host: "b", port: 2)]))
        let tls = try RedisConfiguration(url: "rediss://host/1")
        #expect(tls.tls != nil && tls.database == 1)
    }

    @Test(arguments: [
        "", "localhost", "redis:localhost", "http://s3cret@host", "redis://", "redis://:s3cret@", "redis://s3cret@host",
        "redis://:s3cret@host:port", "redis://:s3cret@host:0", "redis://:s3cret@host:65536", "redis://:s3cret@host:+1",
        "redis://:s3cret@host:６３７９", "redis://:s3cret@host/one", "redis://:s3cret@host/-1", "redis://:s3cret@host?db=1",
        "redis://:s3cret%zz@host", "redis://:s3cret%2@host", "redis://:s3cret@a,b", "unix://s3cret/path", "unix://", "unix:///p?s3cret=1",
        "redis+sentinel://:s3cret@host", "redis+sentinel://:s3cret@host,/main", "redis+cluster://:s3cret@host/1", "redis://:s3cret/x@host",
    ])
    func refusesWrongURLsWithoutRepeatingThem(_ url: String) {
        let error = #expect(throws: RedisConfigurationError.self) { try RedisConfiguration(url: url) }
        #expect(error?.description.contains("s3cret") == false)
    }

    @Test(arguments: ["redis://user:s3cret@host/1", "rediss://:s3cret@host", "redis+sentinel://user:s3cret@a,b/main"])
    func neverShowsThePassword(_ url: String) throws {
        let configuration = try RedisConfiguration(url: url)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped, String(describing: [configuration])] {
            #expect(!text.contains("s3cret") && !text.contains("user"))
        }
    }
}
