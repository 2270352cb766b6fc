"""Images that follow an edited mask."""
