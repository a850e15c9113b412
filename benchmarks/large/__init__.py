"""Tables larger than memory, and work that several processes share"""
