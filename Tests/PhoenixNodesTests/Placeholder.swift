// PhoenixNodesTests
