"""The tables of the standard TFLite metadata, schema version 1.5.0.

A table is the tuple of its fields in the order of their slots. Each field gives its name, its kind
and, for enums, unions and tables, what it holds:

==============  =============================================================
text, texts     UTF-8 string, vector of strings
int32, uint32   number
float           32-bit number
floats          vector of 32-bit numbers
uint32s, bytes  vector of numbers
enum            int8, named by `ENUMS`
union           two slots, the number of the table in `UNIONS`, then the table
table, tables   another table, vector of tables
==============  =============================================================

Notes
-----
Names, slots and numbers are those of metadata_schema.fbs of tflite-support 0.4.4; a field may only
be added at the end of a table, so older files read with the same slots.
"""

from __future__ import annotations

from typing import NamedTuple

METADATA_IDENTIFIER = b"M001"  # at byte 4 of the metadata FlatBuffer
METADATA_ENTRY_NAME = "TFLITE_METADATA"  # of the entry in the model's metadata vector
SCHEMA_VERSION = "1.5.0"  # that the tables below are of
MIN_PARSER_VERSION = "1.3.0"  # the version that brought AudioProperties; the least that our own files ask for
ROOT_TABLE = "ModelMetadata"


class Field(NamedTuple):
    """One field of a table."""

    name: str
    kind: str
    holds: str = ""


ENUMS: dict[str, tuple[str, ...]] = {
    "AssociatedFileType": (
        "UNKNOWN",
        "DESCRIPTIONS",
        "TENSOR_AXIS_LABELS",
        "TENSOR_VALUE_LABELS",
        "TENSOR_AXIS_SCORE_CALIBRATION",
        "VOCABULARY",
        "SCANN_INDEX_FILE",
    ),
    "ColorSpaceType": ("UNKNOWN", "RGB", "GRAYSCALE"),
    "BoundingBoxType": ("UNKNOWN", "BOUNDARIES", "UPPER_LEFT", "CENTER"),
    "CoordinateType": ("RATIO", "PIXEL"),
    "ScoreTransformationType": ("IDENTITY", "LOG", "INVERSE_LOGISTIC"),
}

# The first table of a union has number 1; 0 says that there is none.
UNIONS: dict[str, tuple[str, ...]] = {
    "ContentProperties": ("FeatureProperties", "ImageProperties", "BoundingBoxProperties", "AudioProperties"),
    "ProcessUnitOptions": (
        "NormalizationOptions",
        "ScoreCalibrationOptions",
        "ScoreThresholdingOptions",
        "BertTokenizerOptions",
        "SentencePieceTokenizerOptions",
        "RegexTokenizerOptions",
    ),
}

TABLES: dict[str, tuple[Field, ...]] = {
    "ModelMetadata": (
        Field("name", "text"),
        Field("description", "text"),
        Field("version", "text"),
        Field("subgraph_metadata", "tables", "SubGraphMetadata"),
        Field("author", "text"),
        Field("license", "text"),
        Field("associated_files", "tables", "AssociatedFile"),
        Field("min_parser_version", "text"),
    ),
    "SubGraphMetadata": (
        Field("name", "text"),
        Field("description", "text"),
        Field("input_tensor_metadata", "tables", "TensorMetadata"),
        Field("output_tensor_metadata", "tables", "TensorMetadata"),
        Field("associated_files", "tables", "AssociatedFile"),
        Field("input_process_units", "tables", "ProcessUnit"),
        Field("output_process_units", "tables", "ProcessUnit"),
        Field("input_tensor_groups", "tables", "TensorGroup"),
        Field("output_tensor_groups", "tables", "TensorGroup"),
        Field("custom_metadata", "tables", "CustomMetadata"),
    ),
    "TensorMetadata": (
        Field("name", "text"),
        Field("description", "text"),
        Field("dimension_names", "texts"),
        Field("content", "table", "Content"),
        Field("process_units", "tables", "ProcessUnit"),
        Field("stats", "table", "Stats"),
        Field("associated_files", "tables", "AssociatedFile"),
    ),
    "Content": (
        Field("content_properties", "union", "ContentProperties"),
        Field("range", "table", "ValueRange"),
    ),
    "AudioProperties": (Field("sample_rate", "uint32"), Field("channels", "uint32")),
    "FeatureProperties": (),
    "ImageProperties": (Field("color_space", "enum", "ColorSpaceType"), Field("default_size", "table", "ImageSize")),
    "ImageSize": (Field("width", "uint32"), Field("height", "uint32")),
    "BoundingBoxProperties": (
        Field("index", "uint32s"),
        Field("type", "enum", "BoundingBoxType"),
        Field("coordinate_type", "enum", "CoordinateType"),
    ),
    "ValueRange": (Field("min", "int32"), Field("max", "int32")),
    "Stats": (Field("max", "floats"), Field("min", "floats")),
    "AssociatedFile": (
        Field("name", "text"),
        Field("description", "text"),
        Field("type", "enum", "AssociatedFileType"),
        Field("locale", "text"),
        Field("version", "text"),
    ),
    "ProcessUnit": (Field("options", "union", "ProcessUnitOptions"),),
    "NormalizationOptions": (Field("mean", "floats"), Field("std", "floats")),
    "ScoreCalibrationOptions": (
        Field("score_transformation", "enum", "ScoreTransformationType"),
        Field("default_score", "float"),
    ),
    "ScoreThresholdingOptions": (Field("global_score_threshold", "float"),),
    "BertTokenizerOptions": (Field("vocab_file", "tables", "AssociatedFile"),),
    "SentencePieceTokenizerOptions": (
        Field("sentencePiece_model", "tables", "AssociatedFile"),
        Field("vocab_file", "tables", "AssociatedFile"),
    ),
    "RegexTokenizerOptions": (
        Field("delim_regex_pattern", "text"),
        Field("vocab_file", "tables", "AssociatedFile"),
    ),
    "TensorGroup": (Field("name", "text"), Field("tensor_names", "texts")),
    "CustomMetadata": (Field("name", "text"), Field("data", "bytes")),
}

# What came after version 1.0.0: an enum's name, a union's table or a table's field, with the version that brought it.
ADDED: dict[tuple[str, str], tuple[int, int, int]] = {
    ("AssociatedFileType", "VOCABULARY"): (1, 0, 1),
    ("ProcessUnitOptions", "BertTokenizerOptions"): (1, 1, 0),
    ("ProcessUnitOptions", "SentencePieceTokenizerOptions"): (1, 1, 0),
    ("SubGraphMetadata", "input_process_units"): (1, 1, 0),
    ("SubGraphMetadata", "output_process_units"): (1, 1, 0),
    ("SubGraphMetadata", "input_tensor_groups"): (1, 2, 0),
    ("SubGraphMetadata", "output_tensor_groups"): (1, 2, 0),
    ("ProcessUnitOptions", "RegexTokenizerOptions"): (1, 2, 1),
    ("ContentProperties", "AudioProperties"): (1, 3, 0),
    ("AssociatedFileType", "SCANN_INDEX_FILE"): (1, 4, 0),
    ("AssociatedFile", "version"): (1, 4, 1),
    ("SubGraphMetadata", "custom_metadata"): (1, 5, 0),
}
