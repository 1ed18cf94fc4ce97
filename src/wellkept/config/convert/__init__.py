"""The converter table: from raw values to declared types, without raising and without leaking."""
