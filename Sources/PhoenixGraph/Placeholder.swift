// PhoenixGraph
