import PhoenixGraph
import Testing

@testable import PhoenixNodes

@Suite struct BearerTokenTests {
    @Test func anEmptySecretIsNoToken() { #expect(BearerToken(Secret("")) == nil) }

    @Test(arguments: ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret"]) func theTokenComesIn(
        _ field: String
    ) throws {
        let token = try #require(BearerToken(Secret("s3cret")))
        #expect(token.refusal(of: field) == nil)
    }

    @Test(arguments: [
        nil, "", "Bearer", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3cre", "Bearer s3cret2",
        "Bearer S3cret",
        "Bearers3cret", "Bearer s3cret ",
    ])
    func anythingElseIsChallenged(_ field: String?) throws {
        let refusal = try #require(BearerToken(Secret("s3cret"))?.refusal(of: field))
        #expect(refusal.status.code == 401)
        #expect(refusal.fields["www-authenticate"]?.hasPrefix("Bearer realm=\"phoenix\"") == true)
        #expect(!refusal.message.contains("s3cret"))
    }
}
