// PhoenixGraphTests
