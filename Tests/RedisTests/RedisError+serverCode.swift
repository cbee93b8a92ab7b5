import Redis

extension RedisError {
    /// The code of the server's error, such as `OOM`; `nil` for any other.
    var serverCode: String? {
        if case .server(let error) = code { error.code } else { nil }
    }
}
