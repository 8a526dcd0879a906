// PhoenixWire
