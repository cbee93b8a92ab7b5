import Testing
import WaitingRoom

@testable import Releaser

@Suite("CallbackSlots")
struct CallbackSlotsTests {
    private let slots = CallbackSlots(limit: 64)
    private let tenants = (0..<100).map { _ in Identifier.random() }

    @Test("a tenant has half of what the others leave, in however many goes it takes them")
    func half() {
        #expect(slots.take(20, for: tenants[0]) == 20)
        #expect(slots.take(100, for: tenants[0]) == 12)
        #expect(slots.take(1, for: tenants[0]) == 0)
        #expect(slots.take(100, for: tenants[1]) == 16)
        #expect(slots.take(100, for: tenants[2]) == 8)
        #expect(slots.underWay == 56)
    }

    @Test("every tenant may have one, when all are taken too")
    func always() {
        for tenant in tenants { _ = slots.take(64, for: tenant) }
        #expect(slots.underWay > 64)
        for tenant in tenants {
            let own = slots.take(64, for: tenant)
            #expect(own == 0)
        }
    }

    @Test("a tenant whose endpoint keeps failing has a small part, until one arrives")
    func failing() {
        let tenant = tenants[0]
        for _ in 0..<3 {
            #expect(slots.take(1, for: tenant) == 1)
            slots.end(tenant, failed: true)
        }
        #expect(slots.take(64, for: tenant) == 2)
        slots.giveBack(1, of: tenant)
        slots.end(tenant, failed: false)
        #expect(slots.underWay == 0)
        #expect(slots.take(64, for: tenant) == 32)
    }
}
