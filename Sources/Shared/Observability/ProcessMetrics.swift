import Foundation

/// What Prometheus's own client libraries tell of a process ("Standard and runtime collectors"), read from `/proc/self`.
enum ProcessMetrics {
    /// The text of each metric by its name; what cannot be read is absent.
    static func render() -> [String: String] {
        var texts: [String: String] = [:]
        func add(_ name: String, _ help: String, _ value: Double, kind: String = "gauge") {
            texts[name] = renderSingle(name, help, value, kind: kind)
        }
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }.reduce(0, +)
        add("process_cpu_seconds_total", "User and system CPU time", seconds, kind: "counter")
        if let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first,
            let resident = Double(pages)
        {
            add("process_resident_memory_bytes", "Resident memory", resident * Double(sysconf(Int32(_SC_PAGESIZE))))
        }
        if let files = openFiles() { add("process_open_fds", "Open file descriptors", Double(files)) }
        add("process_start_time_seconds", "When the process started, in seconds since 1970", started)
        return texts
    }

    /// From Linux 6.2 on the directory's size tells the number; before, its entries are counted, which at 20,000 takes 20 ms and more.
    private static func openFiles() -> Int? {
        var status = stat()
        if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Int(status.st_size) }
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count - [".", "..", "the descriptor of the directory itself"].count
    }

    static let started = Date().timeIntervalSince1970
}
