"""`python -m benchmarks`."""

import sys

from benchmarks.catalogue import main

sys.exit(main())
