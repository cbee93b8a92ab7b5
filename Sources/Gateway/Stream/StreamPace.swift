import NIOCore

/// Decides when an open stream has something to say: often to those who are nearly there, seldom far back, and never nothing for long.
struct StreamPace {
    enum Step: Equatable {
        case nothing
        /// A comment, which only keeps what is in between from closing the connection.
        case beat
        /// Where the visitor stands.
        case tell
    }

    /// Up to this place every step is told, one a second at most.
    static let near = 100
    /// Behind it, a step of this part of the way is told at once, and any other after ``patience``.
    static let part = 100
    static let least = TimeAmount.seconds(1)
    static let patience = TimeAmount.seconds(15)
    static let beat = TimeAmount.seconds(15)
    /// A page cannot see a beat: this often it is told where it stands in any case, and takes a longer silence for a broken connection.
    static let longest = TimeAmount.seconds(30)

    /// The place told last.
    private(set) var place: Int
    private var shown: Int
    private var told: NIODeadline
    /// When anything was written last.
    private(set) var wrote: NIODeadline

    /// - Parameters:
    ///   - place: what the client knows already.
    ///   - shown: changes with anything else that the client shows.
    ///   - lead: makes the first events after a while early by this, so that streams that began together do not speak together.
    init(place: Int, shown: Int, now: NIODeadline, lead: TimeAmount) {
        self.place = place
        self.shown = shown
        told = now - lead
        wrote = now - lead
    }

    /// What to say of somebody who stands at `place` now; whatever it is counts as said.
    mutating func step(to place: Int, shown: Int, now: NIODeadline, mustTell: Bool = false) -> Step {
        let isNews = place != self.place || shown != self.shown
        let isMuch = place <= Self.near || self.place - place >= max(1, self.place / Self.part)
        let silence = now - told
        if mustTell || silence >= Self.longest || (isNews && silence >= (isMuch ? Self.least : Self.patience)) {
            self.place = place
            self.shown = shown
            told = now
            wrote = now
            return .tell
        }
        guard now - wrote >= Self.beat else { return .nothing }
        wrote = now
        return .beat
    }
}
