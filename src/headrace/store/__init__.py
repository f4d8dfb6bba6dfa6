"""PostgreSQL: migrations, landing, queries. The only folder that holds SQL for landing."""
