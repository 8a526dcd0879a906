/// How an OTLP message is written.
public enum OTLPEncoding: Sendable, Hashable {
    case protobuf, json
}
