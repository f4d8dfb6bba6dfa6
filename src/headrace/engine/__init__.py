"""The durable engine: jobs, the sync loop, stages. The only folder that imports dbos."""
