import Synchronization

/// Numbers spread evenly where nobody gains by guessing them: unlike the system's they cost no system call. SplitMix64 (Steele, Lea and
/// Flood, "Fast Splittable Pseudorandom Number Generators", 2014), which gives no number twice in a process's life.
struct Jitter: RandomNumberGenerator {
    private static let state = Atomic(UInt64.random(in: .min ... .max))

    func next() -> UInt64 {
        var number = Self.state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        return number ^ number >> 31
    }
}
