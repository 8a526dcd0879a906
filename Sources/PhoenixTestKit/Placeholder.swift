// PhoenixTestKit
