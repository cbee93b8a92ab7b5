import HTTPTypes
import Hummingbird

/// The access token as a cookie, for the pages of the dashboard.
///
/// Browsers send a cookie whoever made the request. So other sites get no further than to lead somebody to a page (`SameSite=Lax`: a link
/// in an alert should not ask to sign in again), and what changes something is believed only with the header ``pageHeader``, which no form
/// can send, and no foreign script without a preflight that is refused.
enum SessionCookie {
    private static let name = "anteroom_session"

    /// Whose presence says that one of our pages asks.
    static let pageHeader = HTTPField.Name("X-Anteroom-Page")!

    /// - Parameter isSecure: browsers use the service by https.
    static func set(_ token: String, seconds: Int, isSecure: Bool) -> String {
        Cookie(name: name, value: token, maxAge: seconds, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax).description
    }

    static func cleared(isSecure: Bool) -> String { set("", seconds: 0, isSecure: isSecure) }

    fileprivate static func token(_ request: Request) -> String? { request.cookies[name]?.value }
}

extension Request {
    /// Whether one of our own pages asks, and wants a cookie.
    var isFromPage: Bool { headers[SessionCookie.pageHeader] != nil }

    fileprivate var readsOnly: Bool { method == .get || method == .head }
}

extension Request {
    /// The token of the dashboard's cookie, where it counts.
    var sessionCookie: String? { readsOnly || isFromPage ? SessionCookie.token(self) : nil }
}
