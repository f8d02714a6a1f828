"""What a school morning costs: plays the steps of a morning one by one and measures the server that answers them."""
