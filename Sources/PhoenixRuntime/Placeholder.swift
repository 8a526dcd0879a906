// PhoenixRuntime
