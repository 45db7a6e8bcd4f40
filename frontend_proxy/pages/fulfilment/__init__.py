"""The shopkeeper's orders: finding them, sending them, giving money back."""
