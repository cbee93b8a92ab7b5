import Glibc

/// A point in time as Redis's clock tells it: milliseconds since 1970 (UTC).
package struct Timestamp: Hashable, Comparable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// This machine's clock; for display only. Decisions use Redis's `TIME`.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Reads a time as RFC 3339 writes it (section 5.6), from the year 1970 on; the seconds may be missing, and so may the zone, which is
    /// UTC then.
    /// - Returns: `nil` for anything else.
    package init?(_ text: String) {
        let pattern = /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):(\d\d))?/
        guard text.utf8.allSatisfy({ $0 < 0x80 }), let match = text.wholeMatch(of: pattern)?.output else { return nil }
        func number(_ digits: Substring?) -> Int64 { digits.flatMap { Int64($0) } ?? 0 }
        let (year, month, day) = (number(match.1), number(match.2), number(match.3))
        let (hour, minute, second) = (number(match.4), number(match.5), number(match.6))
        let (zoneHour, zoneMinute) = (number(match.9), number(match.10))
        let days = days(year: year, month: month, day: day)
        guard year >= 1970, (1...12).contains(month), civil(days) == (year, month, day), hour < 24, minute < 60, second < 60,
            zoneHour < 24, zoneMinute < 60
        else { return nil }
        let fraction = number((match.7.map { $0 + "00" })?.prefix(3))
        let zone = (zoneHour * 60 + zoneMinute) * (match.8 == "-" ? -1 : 1)
        let milliseconds = (((days * 24 + hour) * 60 + minute - zone) * 60 + second) * 1000 + fraction
        guard milliseconds >= 0 else { return nil }
        self.init(milliseconds: milliseconds)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    package func adding(milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: self.milliseconds + milliseconds) }

    package func adding(seconds: Int) -> Timestamp { Timestamp(milliseconds: milliseconds + Int64(seconds) * 1000) }

    /// UTC without a zone, six fraction digits: `2026-11-21T02:05:16.133000`. The form that QMS clients expect.
    package var zoneless: String { text(fraction: 6, suffix: "") }

    /// RFC 3339 with milliseconds: `2026-11-21T02:05:16.133Z`.
    package var rfc3339: String { text(fraction: 3, suffix: "Z") }

    /// ISO 8601 with the offset spelled out, as the MicroQ dialect has it: `2026-11-21T02:05:16.133000+00:00`.
    package var withOffset: String { text(fraction: 6, suffix: "+00:00") }

    /// The calendar day, `2026-11-21`.
    package var date: String { String(zoneless.prefix(10)) }

    /// Whole days since 1970.
    package var day: Int { Int(floorDivide(milliseconds, 86_400_000)) }

    /// The first moment of a day counted from 1970.
    package init(day: Int) { self.init(milliseconds: Int64(day) * 86_400_000) }

    /// No time takes more characters.
    package static let mostTextLength = 32

    /// Writes the ``zoneless`` form, or with three fraction digits its beginning, and returns how many bytes that is.
    package func write(to buffer: UnsafeMutableRawBufferPointer, fraction: Int = 6) -> Int {
        let days = floorDivide(milliseconds, 86_400_000)
        let inDay = milliseconds - days * 86_400_000
        let (year, month, day) = civil(days)
        var position = 0
        func put(_ value: Int64, _ digits: Int, _ end: UInt8) {
            var value = value
            for index in stride(from: digits - 1, through: 0, by: -1) {
                buffer[position + index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
                value /= 10
            }
            buffer[position + digits] = end
            position += digits + 1
        }
        put(year, 4, UInt8(ascii: "-"))
        put(month, 2, UInt8(ascii: "-"))
        put(day, 2, UInt8(ascii: "T"))
        put(inDay / 3_600_000, 2, UInt8(ascii: ":"))
        put(inDay / 60_000 % 60, 2, UInt8(ascii: ":"))
        put(inDay / 1000 % 60, 2, UInt8(ascii: "."))
        put(inDay % 1000, 3, UInt8(ascii: "0"))
        guard fraction == 6 else { return position - 1 }
        buffer[position] = UInt8(ascii: "0")
        buffer[position + 1] = UInt8(ascii: "0")
        return position + 2
    }

    private func text(fraction: Int, suffix: String) -> String {
        String(unsafeUninitializedCapacity: 32) { write(to: UnsafeMutableRawBufferPointer($0), fraction: fraction) } + suffix
    }
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    value >= 0 ? value / divisor : (value - divisor + 1) / divisor
}

/// Year, month and day of a day counted from 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
private func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let civilMonth = month < 10 ? month + 3 : month - 9
    return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day)
}

/// Days from 1970 to a day (the same source, days_from_civil).
private func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = year - (month <= 2 ? 1 : 0)
    let era = floorDivide(shifted, 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}
