package import Redis

extension Queues {
    /// How long the last in line will have to wait, and their sequence number; `nil` where nobody waits, or nobody knows.
    package func forecastOfLast(in queue: Queue) async throws(RedisError) -> (sequence: Int64, wait: Forecast.Wait)? {
        let keys = queue.keys
        let reply = try await redis.evaluate(
            Scripts.forecast, keys: [keys.waiting, keys.counters, keys.sessions], arguments: [])
        guard let values = reply.array, values.count == 7 else { return nil }
        let numbers = values.map { $0.integer ?? 0 }
        let forecast = Forecast(RememberedQueue(queue), flow: Forecast.Flow(numbers[3...]), active: Int(numbers[2]))
        return forecast.wait(at: Int(numbers[0])).map { (numbers[1], $0) }
    }
}
