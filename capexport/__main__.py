"""`python -m capexport` is the command line."""

import sys

from capexport.cli import main

sys.exit(main())
