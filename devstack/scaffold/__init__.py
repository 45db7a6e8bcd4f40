"""`make new-service NAME=wishlist [DB=1]`: a service in the house's shape, its entry, its route and its first tests."""
