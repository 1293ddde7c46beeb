"""One self-contained HTML page of what runs and results found."""
