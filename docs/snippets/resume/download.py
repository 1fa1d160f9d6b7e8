import sys
from pathlib import Path

Path("data", f"{sys.argv[1]}.json").write_text("[4, 5, 7]")
