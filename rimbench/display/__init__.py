"""What a person is shown: tables of plain text, and text from anywhere made safe for a terminal."""
