"""What `headrace.telemetry` writes lines with: of what they are, which fields they may have, and
what is covered in them."""
