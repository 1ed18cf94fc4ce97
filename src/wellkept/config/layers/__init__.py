"""What each local place says of the settings, strongest place first; one file a place."""
