"""Services: rules that involve several rows, independent of the web."""
