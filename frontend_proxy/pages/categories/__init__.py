"""The shopkeeper's categories: the tree that the shop's menu is made of."""
