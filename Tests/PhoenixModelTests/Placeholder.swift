// PhoenixModelTests
