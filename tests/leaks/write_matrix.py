"""Writes docs/reference/leak-matrix.md: `python -m tests.leaks.write_matrix`, in the folder of the repository."""

from tests.leaks.matrix import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
