"""Images and masks on disk or in memory, and how they become training batches."""
