import CNGHTTP2

/// How nghttp2 calls us.
///
/// Each callback finds its connection in the user data.
///
/// The pointer is unretained: callbacks run only inside `nghttp2_session_mem_recv` and `mem_send`, which only the
/// connection itself calls, so it is alive. None of them calls those two or deletes the session.
enum HTTP2Callbacks {
    // Written once here and only read afterwards, by any thread.
    nonisolated(unsafe) static let table: OpaquePointer? = make()

    private static func make() -> OpaquePointer? {
        var table: OpaquePointer?
        guard nghttp2_session_callbacks_new(&table) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, user in
            guard let frame, frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue),
                frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
            else { return 0 }
            connection(user).beginHead(frame.pointee.hd.stream_id)
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(table) {
            _,
            frame,
            name,
            nameSize,
            value,
            valueSize,
            _,
            user in
            // Trailers of requests mean nothing to us.
            guard let frame, frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else { return 0 }
            connection(user).field(
                frame.pointee.hd.stream_id,
                UnsafeRawBufferPointer(start: name, count: nameSize),
                UnsafeRawBufferPointer(start: value, count: valueSize)
            )
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, stream, data, size, user in
            connection(user).data(stream, UnsafeRawBufferPointer(start: data, count: size))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, user in
            guard let frame else { return 0 }
            connection(user).received(frame)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, user in
            guard let frame else { return 0 }
            connection(user).sent(frame)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, stream, code, user in
            connection(user).closed(stream, code)
            return 0
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table) { _, _, code, user in
            connection(user).invalid(String(cString: nghttp2_strerror(code)))
            return 0
        }
        nghttp2_session_callbacks_set_send_data_callback(table) { _, frame, header, size, _, user in
            guard let frame, let header else { return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
            return connection(user).sendData(
                frame.pointee.hd.stream_id,
                header,
                size,
                frame.pointee.data.padlen
            )
        }
        return table
    }

    /// Asks a stream for the next bytes of its answer.
    static let read: nghttp2_data_source_read_callback = { _, stream, _, size, flags, _, user in
        guard let flags else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        return connection(user).readBody(stream, size, flags)
    }
}

/// The connection of a session.
///
/// C function pointers may not capture a type, so this is no static method.
private func connection(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection {
    // The session was made with the connection's own pointer.
    Unmanaged<HTTP2Connection>.fromOpaque(user!).takeUnretainedValue()
}
