"""The account: profile, addresses, devices, password."""
