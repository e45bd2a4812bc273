"""Code shared by views: access rules, forms, sessions, security and template helpers."""
