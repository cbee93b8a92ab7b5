package import Redis

/// The Lua scripts, one for each state change. Each opens with its contract; shared pieces are in `Scripts/includes`.
package enum Scripts {
    package static let addServiceType = load("add_service_type-1", PackageResources.add_service_type_1_lua)
    package static let arrive = load("arrive-8", PackageResources.arrive_8_lua)
    package static let audit = load("audit-2", PackageResources.audit_2_lua)
    package static let beat = load("beat-1", PackageResources.beat_1_lua)
    package static let call = load("call-11", PackageResources.call_11_lua)
    package static let calls = load("calls-2", PackageResources.calls_2_lua)
    package static let cancel = load("cancel-7", PackageResources.cancel_7_lua)
    package static let change = load("change-1", PackageResources.change_1_lua)
    package static let claim = load("claim-1", PackageResources.claim_1_lua)
    package static let claimCallbacks = load("claim_callbacks-4", PackageResources.claim_callbacks_4_lua)
    package static let claimLock = load("claim_lock-1", PackageResources.claim_lock_1_lua)
    package static let claimNotice = load("claim_notice-1", PackageResources.claim_notice_1_lua)
    package static let figures = load("figures-7", PackageResources.figures_7_lua)
    package static let freeLock = load("free_lock-1", PackageResources.free_lock_1_lua)
    package static let handOver = load("hand_over-11", PackageResources.hand_over_11_lua)
    package static let join = load("join-5", PackageResources.join_5_lua)
    package static let joinByName = load("join_by_name-7", PackageResources.join_by_name_7_lua)
    package static let letIn = load("let_in-9", PackageResources.let_in_9_lua)
    package static let limit = load("limit-1", PackageResources.limit_1_lua)
    package static let list = load("list-5", PackageResources.list_5_lua)
    package static let listCallbacks = load("list_callbacks-7", PackageResources.list_callbacks_7_lua)
    package static let measure = load("measure-6", PackageResources.measure_6_lua)
    package static let noShow = load("no_show-11", PackageResources.no_show_11_lua)
    package static let noteIncident = load("note_incident-1", PackageResources.note_incident_1_lua)
    package static let publish = load("publish-3", PackageResources.publish_3_lua)
    package static let recall = load("recall-11", PackageResources.recall_11_lua)
    package static let release = load("release-10", PackageResources.release_10_lua)
    package static let resendCallbacks = load("resend_callbacks-6", PackageResources.resend_callbacks_6_lua)
    package static let `return` = load("return-11", PackageResources.return_11_lua)
    package static let search = load("search-1", PackageResources.search_1_lua)
    package static let serve = load("serve-11", PackageResources.serve_11_lua)
    package static let settleCallback = load("settle_callback-7", PackageResources.settle_callback_7_lua)
    package static let settleNotice = load("settle_notice-1", PackageResources.settle_notice_1_lua)
    package static let settleTransfer = load("settle_transfer-1", PackageResources.settle_transfer_1_lua)
    package static let status = load("status-2", PackageResources.status_2_lua)
    package static let story = load("story-11", PackageResources.story_11_lua)
    package static let sweep = load("sweep-12", PackageResources.sweep_12_lua)
    package static let touch = load("touch-1", PackageResources.touch_1_lua)
    package static let transfer = load("transfer-11", PackageResources.transfer_11_lua)
    package static let undo = load("undo-11", PackageResources.undo_11_lua)
    package static let unpublish = load("unpublish-2", PackageResources.unpublish_2_lua)
    package static let watch = load("watch-7", PackageResources.watch_7_lua)

    private static let includes: [String: [UInt8]] = [
        "admit": PackageResources.admit_lua,
        "callback": PackageResources.callback_lua,
        "clock": PackageResources.clock_lua,
        "desk": PackageResources.desk_lua,
        "finish": PackageResources.finish_lua,
        "incident": PackageResources.incident_lua,
        "join": PackageResources.join_lua,
        "place": PackageResources.place_lua,
        "put_back": PackageResources.put_back_lua,
        "record": PackageResources.record_lua,
        "waits": PackageResources.waits_lua,
        "walk_in": PackageResources.walk_in_lua,
    ]

    /// The script of the file `<verb>-<number of keys>.lua`, each `-- @include name` replaced by that file, once, in order of need.
    private static func load(_ file: String, _ bytes: [UInt8]) -> RedisScript {
        var seen: Set<String> = []
        let parts = file.split(separator: "-")
        guard parts.count == 2, let keyCount = Int(parts[1]) else { preconditionFailure("\(file): name is not <verb>-<keys>") }
        return RedisScript(name: String(parts[0]), source: expand(bytes, &seen), keyCount: keyCount)
    }

    private static func expand(_ bytes: [UInt8], _ seen: inout Set<String>) -> String {
        var lines: [String] = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("-- @include ") else {
                lines.append(String(line))
                continue
            }
            let name = String(line.dropFirst("-- @include ".count))
            guard let included = includes[name] else { preconditionFailure("no such include: \(name)") }
            if seen.insert(name).inserted { lines.append(expand(included, &seen)) }
        }
        return lines.joined(separator: "\n")
    }
}
