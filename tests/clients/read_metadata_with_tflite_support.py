"""Read metadata buffers as tflite-support does.

    python read_metadata_with_tflite_support.py FOLDER

Prints one JSON document: for each file of FOLDER its `metadata`, and the `version` of the parser that it needs. Runs in
the environment `tflite_support` of make_clients.py.
"""

import json
import sys
from pathlib import Path

from tensorflow_lite_support.metadata.cc.python import _pywrap_metadata_version
from tflite_support import metadata


def main() -> int:
    """Read every file."""
    found = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        content = path.read_bytes()
        version = _pywrap_metadata_version.GetMinimumMetadataParserVersion(content)
        found[path.name] = {"metadata": json.loads(metadata.convert_to_json(content)), "version": version}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
