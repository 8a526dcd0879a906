/// One run of the whole program under load.
struct Case {
    var name: String
    var graph = "three_pipelines.yaml"
    var isGRPC = false
    /// Bodies in the ring; over so many in a row series are distinct.
    var bodies: Int
    var groups: Int
    var points = 1500
    var connections = 4
    /// Requests that are under way on one connection at a time.
    var inFlight = 1
    var seconds = 8.0
    /// Resources with what detectors add, so that 1,500 points are 300 KB: the requests that the marks were set with.
    var isWide = false
    /// Whether the graph has the three endpoints.
    var isServed = true

    /// The runs that the marks are about: 250 processes of six points a request, and small requests.
    static let all = [
        Case(name: "http-30k", bodies: 80, groups: 20),
        Case(name: "http-96k", bodies: 64, groups: 64),
        Case(name: "http-300k", bodies: 200, groups: 200, seconds: 12),
        Case(name: "http-30k-wide", bodies: 80, groups: 20, isWide: true),
        Case(name: "http-300k-wide", bodies: 200, groups: 200, seconds: 12, isWide: true),
        Case(name: "grpc-30k", isGRPC: true, bodies: 80, groups: 20),
        Case(name: "grpc-300k", isGRPC: true, bodies: 200, groups: 200, seconds: 12),
        Case(name: "http-15-points", bodies: 6400, groups: 2000, points: 15, connections: 64),
        // As a collector sends: a few connections, each with ten requests under way.
        Case(
            name: "grpc-15-points",
            isGRPC: true,
            bodies: 6400,
            groups: 2000,
            points: 15,
            connections: 6,
            inFlight: 10
        ),
        Case(name: "drop-30k", graph: "receive_and_drop.yaml", bodies: 80, groups: 20, isServed: false),
        Case(
            name: "drop-30k-wide",
            graph: "receive_and_drop.yaml",
            bodies: 80,
            groups: 20,
            isWide: true,
            isServed: false
        ),
        Case(name: "drop-300k", graph: "receive_and_drop.yaml", bodies: 200, groups: 200, isServed: false),
        Case(
            name: "drop-15-points",
            graph: "receive_and_drop.yaml",
            bodies: 6400,
            groups: 2000,
            points: 15,
            connections: 64,
            isServed: false
        ),
    ]
}
