// PhoenixRuntimeTests
