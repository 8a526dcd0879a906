// PhoenixWireTests
