import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// The largest body that any route reads; the contract has it so.
let maximumBodyBytes = 65_536

extension Request {
    /// The body's bytes.
    /// - Throws: ``GatewayError`` 413 when there are more than 64 KiB.
    func bytes() async throws -> ByteBuffer {
        if let length = headers[.contentLength], Int(length) ?? .max > maximumBodyBytes { throw GatewayError.contentTooLarge }
        do {
            return try await body.collect(upTo: maximumBodyBytes)
        } catch is IOError {
            // A client that hangs up is no fault of ours; nobody reads the answer.
            throw GatewayError(status: .badRequest, code: "bad_request", message: "The connection ended before the body did")
        } catch is NIOTooManyBytesError {
            throw GatewayError.contentTooLarge
        }
    }

    /// The JSON object that the body is; where `orNothing`, an empty body is an object without fields.
    /// - Throws: ``GatewayError`` 415 for another content type, 413, or 422 for anything but one strict JSON object.
    func fields(orNothing: Bool = false) async throws -> Fields {
        let bytes = try await bytes()
        if orNothing, bytes.readableBytes == 0 { return Fields(place: "body", value: .object([])) }
        guard mediaType == nil || mediaType == "application/json" else {
            throw GatewayError(
                status: .unsupportedMediaType, code: "unsupported_media_type",
                message: "Send the body as JSON, with Content-Type: application/json")
        }
        return try Fields.json(Array(bytes.readableBytesView))
    }

    /// The form (`application/x-www-form-urlencoded`) or, where `json` is allowed, the JSON object that the body is; no fields when it is
    /// empty.
    func formFields(orJSON: Bool) async throws -> Fields {
        if orJSON, mediaType == "application/json" { return try await fields() }
        let bytes = try await bytes()
        if bytes.readableBytes == 0 { return Fields(place: "body", value: .object([])) }
        guard mediaType == "application/x-www-form-urlencoded" else {
            throw GatewayError(
                status: .unsupportedMediaType, code: "unsupported_media_type",
                message: "Send the body as a form, with Content-Type: application/x-www-form-urlencoded")
        }
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self), let pairs = FormText.pairs(text) else {
            throw GatewayError.invalid([
                .init(type: "form_invalid", location: ["body"], message: "The form is not URL-encoded UTF-8", input: nil)
            ])
        }
        return Fields(place: "body", value: .object(pairs.map { JSON.Member($0.key, .string($0.value)) }))
    }

    /// The query as fields; the last value of a name counts.
    /// - Throws: ``GatewayError`` 422 when it is not URL-encoded UTF-8.
    func queryFields() throws -> Fields {
        guard let pairs = FormText.pairs(String(uri.query ?? "")) else {
            throw GatewayError.invalid([
                .init(type: "query_invalid", location: ["query"], message: "The query is not URL-encoded UTF-8", input: nil)
            ])
        }
        return Fields(place: "query", value: .object(pairs.reversed().map { JSON.Member($0.key, .string($0.value)) }))
    }

    private var mediaType: String? {
        headers[.contentType].flatMap { $0.split(separator: ";").first }.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    }
}

extension GatewayContext {
    /// A parameter of the path, percent-decoded.
    /// - Throws: ``GatewayError`` 404 when it is not UTF-8.
    func parameter(_ name: String) throws -> String {
        let segments = (endpointPath ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard let position = segments.firstIndex(of: "{\(name)}"), let raw = parameters.get(String(position)),
            let text = FormText.decode(raw[...], plusIsSpace: false)
        else {
            throw GatewayError.notFound("Not Found", code: "not_found")
        }
        return text
    }
}
