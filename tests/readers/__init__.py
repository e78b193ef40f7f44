"""The room that reads projects."""
