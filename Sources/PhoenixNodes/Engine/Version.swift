/// The version of Phoenix, by semantic versioning; the one place that says it.
public enum Version {
    public static let current = "0.1.0"
}
