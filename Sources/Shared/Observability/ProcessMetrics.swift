import Foundation

/// What Prometheus's own client libraries tell of a process ("Standard and runtime collectors"), read from `/proc/self`.
enum ProcessMetrics {
    static func render() -> String {
        var text = ""
        func gauge(_ name: String, _ help: String, _ value: Double, kind: String = "gauge") {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n\(name) \(formatted(value))\n"
        }
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }.reduce(0, +)
        gauge("process_cpu_seconds_total", "User and system CPU time", seconds, kind: "counter")
        if let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first,
            let resident = Double(pages)
        {
            gauge("process_resident_memory_bytes", "Resident memory", resident * Double(sysconf(Int32(_SC_PAGESIZE))))
        }
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            gauge("process_open_fds", "Open file descriptors", Double(files.count))
        }
        gauge("process_start_time_seconds", "When the process started, in seconds since 1970", started)
        return text
    }

    static let started = Date().timeIntervalSince1970
}
