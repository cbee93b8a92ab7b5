package import Redis

/// The Lua scripts, one for each state change. Each opens with its contract; shared pieces are in `Scripts/includes`.
package enum Scripts {
    package static let addServiceType = load("add_service_type-1", PackageResources.add_service_type_1_lua)
    package static let apportion = load("apportion-1", PackageResources.apportion_1_lua)
    package static let arrive = load("arrive-9", PackageResources.arrive_9_lua)
    package static let audit = load("audit-1", PackageResources.audit_1_lua)
    package static let beat = load("beat-1", PackageResources.beat_1_lua)
    package static let call = load("call-16", PackageResources.call_16_lua)
    package static let calls = load("calls-2", PackageResources.calls_2_lua)
    package static let cancel = load("cancel-8", PackageResources.cancel_8_lua)
    package static let change = load("change-1", PackageResources.change_1_lua)
    package static let claim = load("claim-1", PackageResources.claim_1_lua)
    package static let claimCallbacks = load("claim_callbacks-4", PackageResources.claim_callbacks_4_lua)
    package static let claimNotice = load("claim_notice-1", PackageResources.claim_notice_1_lua)
    package static let enter = load("enter-14", PackageResources.enter_14_lua)
    package static let figures = load("figures-8", PackageResources.figures_8_lua)
    package static let forecast = load("forecast-3", PackageResources.forecast_3_lua)
    package static let handOver = load("hand_over-16", PackageResources.hand_over_16_lua)
    package static let join = load("join-6", PackageResources.join_6_lua)
    package static let joinByName = load("join_by_name-8", PackageResources.join_by_name_8_lua)
    package static let lease = load("lease-4", PackageResources.lease_4_lua)
    package static let letIn = load("let_in-11", PackageResources.let_in_11_lua)
    package static let limit = load("limit-1", PackageResources.limit_1_lua)
    package static let list = load("list-6", PackageResources.list_6_lua)
    package static let listCallbacks = load("list_callbacks-7", PackageResources.list_callbacks_7_lua)
    package static let measure = load("measure-6", PackageResources.measure_6_lua)
    package static let noShow = load("no_show-16", PackageResources.no_show_16_lua)
    package static let noteIncident = load("note_incident-1", PackageResources.note_incident_1_lua)
    package static let publish = load("publish-2", PackageResources.publish_2_lua)
    package static let recall = load("recall-16", PackageResources.recall_16_lua)
    package static let release = load("release-12", PackageResources.release_12_lua)
    package static let releases = load("releases-2", PackageResources.releases_2_lua)
    package static let rememberReleased = load("remember_released-12", PackageResources.remember_released_12_lua)
    package static let renew = load("renew-2", PackageResources.renew_2_lua)
    package static let reseal = load("reseal-1", PackageResources.reseal_1_lua)
    package static let resendCallbacks = load("resend_callbacks-6", PackageResources.resend_callbacks_6_lua)
    package static let restore = load("restore-12", PackageResources.restore_12_lua)
    package static let restoreQueue = load("restore_queue-2", PackageResources.restore_queue_2_lua)
    package static let restoreRecord = load("restore_record-1", PackageResources.restore_record_1_lua)
    package static let `return` = load("return-16", PackageResources.return_16_lua)
    package static let revoke = load("revoke-2", PackageResources.revoke_2_lua)
    package static let search = load("search-3", PackageResources.search_3_lua)
    package static let serve = load("serve-16", PackageResources.serve_16_lua)
    package static let settleCallback = load("settle_callback-7", PackageResources.settle_callback_7_lua)
    package static let settleLease = load("settle_lease-11", PackageResources.settle_lease_11_lua)
    package static let settleNotice = load("settle_notice-1", PackageResources.settle_notice_1_lua)
    package static let settleTransfer = load("settle_transfer-1", PackageResources.settle_transfer_1_lua)
    package static let share = load("share-2", PackageResources.share_2_lua)
    package static let status = load("status-5", PackageResources.status_5_lua)
    package static let story = load("story-12", PackageResources.story_12_lua)
    package static let sweep = load("sweep-15", PackageResources.sweep_15_lua)
    package static let touch = load("touch-2", PackageResources.touch_2_lua)
    package static let transfer = load("transfer-16", PackageResources.transfer_16_lua)
    package static let undo = load("undo-16", PackageResources.undo_16_lua)
    package static let unpublish = load("unpublish-2", PackageResources.unpublish_2_lua)
    package static let view = load("view-5", PackageResources.view_5_lua)
    package static let watch = load("watch-9", PackageResources.watch_9_lua)

    private static let includes: [String: [UInt8]] = [
        "admit": PackageResources.admit_lua,
        "beat": PackageResources.beat_lua,
        "bucket": PackageResources.bucket_lua,
        "callback": PackageResources.callback_lua,
        "clock": PackageResources.clock_lua,
        "desk": PackageResources.desk_lua,
        "finish": PackageResources.finish_lua,
        "flow": PackageResources.flow_lua,
        "incident": PackageResources.incident_lua,
        "join": PackageResources.join_lua,
        "loss": PackageResources.loss_lua,
        "opening": PackageResources.opening_lua,
        "place": PackageResources.place_lua,
        "put_back": PackageResources.put_back_lua,
        "record": PackageResources.record_lua,
        "record_join": PackageResources.record_join_lua,
        "redeem": PackageResources.redeem_lua,
        "sessions": PackageResources.sessions_lua,
        "tombstone": PackageResources.tombstone_lua,
        "waits": PackageResources.waits_lua,
        "walk_in": PackageResources.walk_in_lua,
        "write_back": PackageResources.write_back_lua,
    ]

    /// The script of the file `<verb>-<number of keys>.lua`, each `-- @include name` replaced by that file.
    private static func load(_ file: String, _ bytes: [UInt8]) -> RedisScript {
        let parts = file.split(separator: "-")
        guard parts.count == 2, let keyCount = Int(parts[1]) else { preconditionFailure("\(file): name is not <verb>-<keys>") }
        return RedisScript(name: String(parts[0]), source: expanded(String(decoding: bytes, as: UTF8.self)), keyCount: keyCount)
    }

    /// A script in which each `-- @include name` is replaced by that file, once, in order of need.
    static func expanded(_ source: String) -> String {
        var seen: Set<String> = []
        return expand(source, &seen)
    }

    private static func expand(_ source: String, _ seen: inout Set<String>) -> String {
        var lines: [String] = []
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("-- @include ") else {
                lines.append(String(line))
                continue
            }
            let name = String(line.dropFirst("-- @include ".count))
            guard let included = includes[name] else { preconditionFailure("no such include: \(name)") }
            if seen.insert(name).inserted { lines.append(expand(String(decoding: included, as: UTF8.self), &seen)) }
        }
        return lines.joined(separator: "\n")
    }
}
