"""The images: where they are, what they are, how they are split and decoded."""
