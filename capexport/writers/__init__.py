"""IR graphs -> file formats, one folder each."""
