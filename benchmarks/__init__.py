"""dssync side by side with the least a pull can cost and with the script one would write."""
