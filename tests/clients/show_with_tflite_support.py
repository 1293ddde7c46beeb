"""Print the metadata of a model as the tool of tflite-support reads it.

    python show_with_tflite_support.py MODEL

One JSON document with `metadata` and the sorted names of the associated `files`. Runs in the
environment `tflite_support` of make_clients.py.
"""

import json
import sys

from tflite_support import metadata


def main() -> int:
    """Read the model and print what it says."""
    displayer = metadata.MetadataDisplayer.with_model_file(sys.argv[1])
    files = sorted(displayer.get_packed_associated_file_list())
    print(json.dumps({"metadata": json.loads(displayer.get_metadata_json()), "files": files}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
