"""The graph between capture and writers, its operators, and what they compute."""
