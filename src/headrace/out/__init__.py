"""What reads the tables for people: search now; memory, webhooks and MCP to come."""
