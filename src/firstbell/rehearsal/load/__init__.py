"""The load: arrivals on schedule whatever the server does, played by processes of their own over plain sockets."""
