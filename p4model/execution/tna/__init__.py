"""The Tofino Native Architecture: its pipeline, its extern objects, and its rules for packets that end wrong."""
