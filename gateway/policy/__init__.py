"""What a call may do in this house, and what needs a yes first. Knows no tools."""
