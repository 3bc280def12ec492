"""What the Makefile calls beside the kit."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
