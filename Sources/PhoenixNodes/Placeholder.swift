// PhoenixNodes
