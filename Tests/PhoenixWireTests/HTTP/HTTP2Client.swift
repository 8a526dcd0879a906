import CNGHTTP2
import NIOCore

@testable import PhoenixWire

/// An HTTP/2 client without a socket: what it sends goes straight into an embedded server, and back.
final class HTTP2Client {
    struct Answer {
        var status = 0
        var fields: [String: String] = [:]
        var trailers: [String: String] = [:]
        var body: [UInt8] = []
        var closed: UInt32?
        var text: String { String(decoding: body, as: UTF8.self) }
        var grpcStatus: Int? { (trailers["grpc-status"] ?? fields["grpc-status"]).flatMap { Int($0) } }
    }
    private final class Upload {
        var bytes: [UInt8]
        var at = 0
        var ends: Bool
        init(_ bytes: [UInt8], ends: Bool) {
            self.bytes = bytes
            self.ends = ends
        }
    }
    let server: EmbeddedServer
    private var session: OpaquePointer?
    private var uploads: [Int32: Upload] = [:]
    private var newest: Upload?
    private(set) var answers: [Int32: Answer] = [:]
    private(set) var goaways: [(last: Int32, code: UInt32, text: String)] = []
    private(set) var pings = 0
    var holdsBack = false

    init(_ server: EmbeddedServer, window: Int? = nil) {
        self.server = server
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _,
            frame,
            name,
            nameSize,
            value,
            valueSize,
            _,
            user in
            let me = client(user)
            let id = frame!.pointee.hd.stream_id
            let name = String(decoding: UnsafeBufferPointer(start: name, count: nameSize), as: UTF8.self)
            let value = String(decoding: UnsafeBufferPointer(start: value, count: valueSize), as: UTF8.self)
            if name == ":status" {
                me.answers[id, default: Answer()].status = Int(value) ?? -1
            } else if frame!.pointee.headers.cat == NGHTTP2_HCAT_HEADERS {
                me.answers[id, default: Answer()].trailers[name] = value
            } else {
                me.answers[id, default: Answer()].fields[name] = value
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            session,
            _,
            id,
            data,
            size,
            user in
            let me = client(user)
            me.answers[id, default: Answer()].body.append(
                contentsOf: UnsafeBufferPointer(start: data, count: size)
            )
            return me.holdsBack ? 0 : nghttp2_session_consume(session, id, size)
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            client(user).answers[id, default: Answer()].closed = code
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            let me = client(user)
            switch UInt32(frame!.pointee.hd.type) {
            case NGHTTP2_GOAWAY.rawValue:
                let goaway = frame!.pointee.goaway
                let text = String(
                    decoding: UnsafeBufferPointer(start: goaway.opaque_data, count: goaway.opaque_data_len),
                    as: UTF8.self
                )
                me.goaways.append((goaway.last_stream_id, goaway.error_code, text))
            case NGHTTP2_PING.rawValue:
                if frame!.pointee.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { me.pings += 1 }
            default: break
            }
            return 0
        }
        var option: OpaquePointer?
        nghttp2_option_new(&option)
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_session_client_new2(&session, callbacks, Unmanaged.passUnretained(self).toOpaque(), option)
        nghttp2_option_del(option)
        nghttp2_session_callbacks_del(callbacks)
        var entries = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(window ?? 65_535)
            )
        ]
        nghttp2_submit_settings(session, 0, &entries, entries.count)
    }

    deinit { nghttp2_session_del(session) }

    /// Begins a request; `exchange()` sends it.
    func request(
        _ method: String,
        _ path: String,
        _ fields: [(String, String)] = [],
        body: [UInt8]? = nil,
        ends: Bool = true
    ) -> Int32 {
        let all = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)] + fields
        var storage = all.flatMap { Array($0.0.utf8) + Array($0.1.utf8) }
        var pairs: [nghttp2_nv] = []
        var provider = nghttp2_data_provider()
        provider.read_callback = { _, id, buffer, size, flags, _, user in
            guard let upload = client(user).upload(id) else { return 0 }
            let count = min(size, upload.bytes.count - upload.at)
            if count == 0, !upload.ends { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
            for index in 0..<count { buffer![index] = upload.bytes[upload.at + index] }
            upload.at += count
            if upload.at == upload.bytes.count {
                if upload.ends { flags!.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue) }
            }
            return count
        }
        newest = body.map { Upload($0, ends: ends) }
        let id = storage.withUnsafeMutableBufferPointer { storage in
            var at = storage.baseAddress!
            for (name, value) in all {
                let (nameSize, valueSize) = (name.utf8.count, value.utf8.count)
                pairs.append(
                    nghttp2_nv(
                        name: at,
                        value: at + nameSize,
                        namelen: nameSize,
                        valuelen: valueSize,
                        flags: 0
                    )
                )
                at += nameSize + valueSize
            }
            return body == nil
                ? nghttp2_submit_request(session, nil, pairs, pairs.count, nil, nil)
                : nghttp2_submit_request(session, nil, pairs, pairs.count, &provider, nil)
        }
        if let newest { uploads[id] = newest }
        return id
    }

    private func upload(_ id: Int32) -> Upload? { uploads[id] }
    func reset(_ id: Int32) { nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_CANCEL.rawValue) }
    func ping() { nghttp2_submit_ping(session, 0, nil) }
    func uploaded(_ id: Int32) -> Int { uploads[id]?.at ?? 0 }
    /// Gives the windows back for what was held back.
    func consume(_ id: Int32) {
        holdsBack = false
        nghttp2_session_consume(session, id, answers[id]?.body.count ?? 0)
    }

    /// The bytes this client would send now.
    func output() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var data: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &data)
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: count))
        }
    }

    /// Carries bytes to and fro until both sides are silent.
    func exchange(piece: Int = .max) throws {
        while true {
            let up = output()
            var at = 0
            while at < up.count {
                let end = piece == .max ? up.count : min(at + piece, up.count)
                if server.channel.isActive { try server.send(up[at..<end]) }
                at = end
            }
            let down = try server.take()
            if up.isEmpty, down.isEmpty { return }
            down.withUnsafeBufferPointer { _ = nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
        }
    }

    func call(
        _ method: String,
        _ path: String,
        _ fields: [(String, String)] = [],
        body: [UInt8]? = nil
    ) throws -> Answer {
        let id = request(method, path, fields, body: body)
        try exchange()
        return answers[id] ?? Answer()
    }
}

private func client(_ user: UnsafeMutableRawPointer?) -> HTTP2Client {
    Unmanaged<HTTP2Client>.fromOpaque(user!).takeUnretainedValue()
}
