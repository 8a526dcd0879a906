// PhoenixModel
