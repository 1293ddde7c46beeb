"""Describe an audio classifier with the metadata writer of tflite-support.

    python write_with_tflite_support.py MODEL FOLDER OUT.tflite

FOLDER holds labels.txt, labels_de.txt and score_calibration.txt. Runs in the environment `tflite_support` of
make_clients.py.
"""

import sys
from pathlib import Path

from tensorflow_lite_support.metadata.schema_py_generated import TensorType
from tflite_support import metadata_schema_py_generated as schema
from tflite_support.metadata_writers import audio_classifier, metadata_info, writer_utils


def main() -> int:
    """Write the metadata."""
    model, folder, out = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    general = metadata_info.GeneralMd(
        name="claps", version="v2", description="hears claps", author="Ada", licenses="MIT"
    )
    calibration = metadata_info.ScoreCalibrationMd(
        schema.ScoreTransformationType.INVERSE_LOGISTIC, 0.25, str(folder / "score_calibration.txt")
    )
    labels = [
        metadata_info.LabelFileMd(str(folder / "labels.txt")),
        metadata_info.LabelFileMd(str(folder / "labels_de.txt"), locale="de"),
    ]
    scores = metadata_info.ClassificationTensorMd(
        name="scores",
        description="of claps",
        label_files=labels,
        tensor_type=TensorType.FLOAT32,
        score_calibration_md=calibration,
    )
    audio = metadata_info.InputAudioTensorMd("audio", "heard", 16_000, 1)
    buffer = writer_utils.load_file(model)
    writer = audio_classifier.MetadataWriter.create_from_metadata_info(buffer, general, audio, scores)
    writer_utils.save_file(writer.populate(), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
