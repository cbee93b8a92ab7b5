import WaitingRoom

/// A line chart as SVG, drawn for one page and one language.
struct Chart {
    struct Line {
        /// `wait`, `in` or `out`: which colour and stroke (`admin.css`).
        let style: String
        let name: String
        /// One for each step; `nil` breaks the line.
        let values: [Double?]
    }

    let title: String
    let lines: [Line]
    /// The labels below, one for each step; a point in time is shown as the reader's clock has it.
    let labels: [Label]
    /// How a value is written.
    var value: (Double) -> String = { Chart.plain($0) }
    var height = 200.0

    enum Label {
        case text(String)
        case time(Timestamp, isDay: Bool)
    }

    private static let width = 720.0
    private static let left = 72.0
    private static let bottom = 30.0
    private static let top = 10.0

    /// The whole picture. Programs that read pages aloud are given the title and each line's last and highest value.
    var svg: String {
        let highest = max(Self.round(lines.flatMap(\.values).compactMap { $0 }.max() ?? 0), 1)
        let count = max(labels.count, 2)
        let plotWidth = Self.width - Self.left - 8
        let plotHeight = height - Self.bottom - Self.top
        func x(_ step: Int) -> Double { Self.left + plotWidth * Double(step) / Double(count - 1) }
        func y(_ value: Double) -> Double { Self.top + plotHeight * (1 - value / highest) }

        var svg = "<svg class=\"chart\" viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\" aria-label=\"\(escape(summary))\">"
        for share in [0, 0.5, 1] {
            let line = y(highest * share)
            svg += "<path class=\"grid\" d=\"M\(number(Self.left)) \(number(line))H\(number(Self.width - 8))\"/>"
            svg +=
                "<text x=\"\(number(Self.left - 6))\" y=\"\(number(line + 4))\" text-anchor=\"end\">\(escape(value(highest * share)))</text>"
        }
        let everyNth = max(1, (labels.count + 4) / 5)
        for step in stride(from: 0, to: labels.count, by: everyNth) where step + everyNth / 2 < labels.count || step == 0 {
            svg += "<text x=\"\(number(x(step)))\" y=\"\(number(height - 8))\" text-anchor=\"\(step == 0 ? "start" : "middle")\""
            switch labels[step] {
            case .text(let text): svg += ">\(escape(text))</text>"
            case .time(let time, let isDay):
                svg +=
                    " data-time=\"\(time.rfc3339)\" data-format=\"\(isDay ? "day" : "short")\">\(time.rfc3339.dropFirst(11).prefix(5))</text>"
            }
        }
        for (index, line) in lines.enumerated() {
            for run in Self.runs(line.values) {
                let points = run.map { "\(number(x($0.step))) \(number(y($0.value)))" }
                if points.count == 1 {
                    let dot = run[0]
                    svg += "<circle class=\"dot \(line.style)\" cx=\"\(number(x(dot.step)))\" cy=\"\(number(y(dot.value)))\" r=\"2.5\"/>"
                    continue
                }
                if index == 0 {
                    let base = number(y(0))
                    svg += "<path class=\"area \(line.style)\" d=\"M\(points.joined(separator: "L"))V\(base)H\(number(x(run[0].step)))Z\"/>"
                }
                svg += "<path class=\"curve \(line.style)\" d=\"M\(points.joined(separator: "L"))\"/>"
            }
        }
        return svg + "</svg>"
    }

    /// The lines' names in their colours.
    var legend: String {
        lines.map { line in
            "<span><svg class=\"chart\" viewBox=\"0 0 24 8\" aria-hidden=\"true\"><path class=\"curve \(line.style)\" d=\"M1 4H23\"/></svg> \(escape(line.name))</span>"
        }.joined(separator: " ")
    }

    private var summary: String {
        let told = lines.map { line in
            let known = line.values.compactMap { $0 }
            guard let last = known.last, let most = known.max() else { return "\(line.name): –" }
            return "\(line.name): \(value(last)) (≤ \(value(most)))"
        }
        return "\(title). \(told.joined(separator: ", "))"
    }

    /// Stretches of values without a gap.
    private static func runs(_ values: [Double?]) -> [[(step: Int, value: Double)]] {
        var runs: [[(step: Int, value: Double)]] = [[]]
        for (step, value) in values.enumerated() {
            if let value { runs[runs.count - 1].append((step, value)) } else if runs.last?.isEmpty == false { runs.append([]) }
        }
        return runs.filter { !$0.isEmpty }
    }

    /// The next of 1, 2, 5, 10, 20, 50, …
    private static func round(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        var unit = 1.0
        while unit * 10 < value { unit *= 10 }
        while unit > value { unit /= 10 }
        return [1, 2, 5, 10].map { $0 * unit }.first { $0 >= value } ?? value
    }

    /// A number with groups of three digits and at most two decimals: `12,345.5`.
    static func plain(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        var whole = String(abs(hundredths) / 100)
        var index = whole.count - 3
        while index > 0 {
            whole.insert(",", at: whole.index(whole.startIndex, offsetBy: index))
            index -= 3
        }
        let rest = abs(hundredths) % 100
        let decimals = rest == 0 ? "" : rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)"
        return (hundredths < 0 ? "-" : "") + whole + decimals
    }

    /// A time span as a clock shows it: `0:42`, `12:05`, `1:02:05`.
    static func clock(seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return whole < 3600 ? "\(whole / 60):\(two(whole % 60))" : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }

    private func number(_ value: Double) -> String { String((value * 10).rounded() / 10) }

    private func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
