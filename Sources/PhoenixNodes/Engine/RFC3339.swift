/// Moments as RFC 3339 writes them.
enum RFC3339 {
    /// In UTC, with milliseconds where there are any.
    static func text(unixNano: UInt64) -> String {
        let (seconds, rest) = unixNano.quotientAndRemainder(dividingBy: 1_000_000_000)
        let (days, second) = Int(seconds).quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = civil(days)
        let date = "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
        let time = "\(digits(second / 3600, 2)):\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2))"
        let milliseconds = Int(rest / 1_000_000)
        return "\(date)T\(time)\(milliseconds > 0 ? ".\(digits(milliseconds, 3))" : "")Z"
    }

    /// The moment that a text names, moments before 1970 as 1970; nil where it is none.
    static func unixNano(_ text: String) -> UInt64? {
        guard let match = text.wholeMatch(of: pattern), let parts = Parts(match.output) else { return nil }
        let seconds = days(parts.year, parts.month, parts.day) * 86_400 + parts.secondOfDay - parts.offset
        let (product, isOver) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return isOver ? .max : product &+ parts.nanoseconds
    }

    // A value of `Regex` is not Sendable; it is made where it is used, and dates are few.
    private static var pattern:
        Regex<
            (
                Substring, Substring, Substring, Substring, Substring, Substring, Substring, Substring?,
                Substring
            )
        >
    {
        /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)/
    }
    private struct Parts {
        var (year, month, day) = (0, 0, 0)
        var (secondOfDay, offset) = (0, 0)
        var nanoseconds: UInt64 = 0

        init?(
            _ match: (
                Substring, Substring, Substring, Substring, Substring, Substring, Substring, Substring?,
                Substring
            )
        ) {
            guard let year = Int(match.1), let month = Int(match.2), let day = Int(match.3),
                let hour = Int(match.4), let minute = Int(match.5), let second = Int(match.6),
                1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second <= 60
            else { return nil }
            (self.year, self.month, self.day) = (year, month, day)
            // A leap second counts as the one before.
            secondOfDay = hour * 3600 + minute * 60 + min(second, 59)
            let fraction = (match.7 ?? "").prefix(9)
            nanoseconds = UInt64(fraction + String(repeating: "0", count: 9 - fraction.count)) ?? 0
            guard match.8.count > 1 else { return }
            let numbers = match.8.dropFirst().split(separator: ":").compactMap { Int($0) }
            guard numbers.count == 2, numbers[0] < 24, numbers[1] < 60 else { return nil }
            offset = (numbers[0] * 3600 + numbers[1] * 60) * (match.8.hasPrefix("-") ? -1 : 1)
        }
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    // Both by Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": eras of 400 years that begin in March.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
    private static func civil(_ daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
