"""The TFLite schema as far as a file for an interpreter may use it: which field of which table holds what.

Written down from TensorFlow Lite's schema.fbs, version 3 (identifier TFL3), as of LiteRT 2.3; a test compares it with
the schema that ai-edge-litert brings. What is not described here is refused, see `schema_walk`.

Notes
-----
A table is its fields in the order of their slots, each `name:kind`, a scalar with `=default` where that is not 0:

    i, f, ...   a scalar, by its letter in the `struct` module
    [i]         a vector of scalars
    bytes       a vector of bytes that stays where it is: its first byte and its length are what is read
    text        a string
    Name, [Name]    a table, a vector of tables
    <Name       a union, whose type is the slot before
    !           must not be there: sparse weights, weights in other files, variants
    -           a slot that is deprecated
"""

from __future__ import annotations

_TABLES_WITHOUT_FIELDS = """
    PadOptions PadV2Options SpaceToBatchNDOptions BatchToSpaceNDOptions TopKV2Options TransposeOptions ExpOptions
    CosOptions LogSoftmaxOptions DequantizeOptions MaximumMinimumOptions TileOptions GreaterOptions
    GreaterEqualOptions LessOptions LessEqualOptions NegOptions SelectOptions SliceOptions ExpandDimsOptions
    EqualOptions NotEqualOptions RankOptions PowOptions LogicalOrOptions AbsOptions HardSwishOptions
    LogicalAndOptions LogicalNotOptions FloorDivOptions SquareOptions ZerosLikeOptions FillOptions FloorModOptions
    RangeOptions SquaredDifferenceOptions ReverseV2Options AddNOptions GatherNdOptions QuantizeOptions
    ScatterNdOptions SelectV2Options BroadcastToOptions Rfft2dOptions ReadVariableOptions AssignVariableOptions
    DynamicUpdateSliceOptions ATan2Options SignOptions WhereOptions MatrixDiagOptions MatrixSetDiagOptions
    SegmentSumOptions UnsortedSegmentProdOptions UnsortedSegmentMaxOptions UnsortedSegmentMinOptions
    UnsortedSegmentSumOptions BitcastOptions BitwiseXorOptions RightShiftOptions NonMaxSuppressionV4Options
    NonMaxSuppressionV5Options
"""

TABLES: dict[str, str] = {
    "Model": (
        "version:I operator_codes:[OperatorCode] subgraphs:[SubGraph] description:text buffers:[Buffer] "
        "metadata_buffer:[i] metadata:[Metadata] signature_defs:[SignatureDef] external_buffer_groups:! "
        "external_buffers:!"
    ),
    "OperatorCode": "deprecated_builtin_code:b custom_code:text version:i=1 builtin_code:i",
    "SubGraph": ("tensors:[Tensor] inputs:[i] outputs:[i] operators:[Operator] name:text debug_metadata_index:i=-1"),
    "Tensor": (
        "shape:[i] type:b buffer:I name:text quantization:QuantizationParameters is_variable:? sparsity:! "
        "shape_signature:[i] has_rank:? variant_tensors:! external_buffer:!"
    ),
    "QuantizationParameters": (
        "min:[f] max:[f] scale:[f] zero_point:[q] details_type:B details:<QuantizationDetails quantized_dimension:i"
    ),
    "BlockwiseQuantization": "scales:i zero_points:i block_size:i block_shape:[i]",
    "Buffer": "data:bytes offset:Q size:Q",
    "Operator": (
        "opcode_index:I inputs:[i] outputs:[i] builtin_options_type:B builtin_options:<BuiltinOptions "
        "custom_options:bytes custom_options_format:b mutating_variable_inputs:[?] intermediates:[i] "
        "large_custom_options_offset:Q large_custom_options_size:Q builtin_options_2_type:B "
        "builtin_options_2:<BuiltinOptions2 debug_metadata_index:i=-1"
    ),
    "Metadata": "name:text buffer:I",
    "TensorMap": "name:text tensor_index:I",
    "SignatureDef": "inputs:[TensorMap] outputs:[TensorMap] signature_key:text -:- subgraph_index:I",
    "Conv2DOptions": (
        "padding:b stride_w:i stride_h:i fused_activation_function:b dilation_w_factor:i=1 dilation_h_factor:i=1 "
        "quantized_bias_type:b"
    ),
    "DepthwiseConv2DOptions": (
        "padding:b stride_w:i stride_h:i depth_multiplier:i fused_activation_function:b dilation_w_factor:i=1 "
        "dilation_h_factor:i=1"
    ),
    "Conv3DOptions": (
        "padding:b stride_d:i stride_w:i stride_h:i fused_activation_function:b dilation_d_factor:i=1 "
        "dilation_w_factor:i=1 dilation_h_factor:i=1"
    ),
    "Pool2DOptions": "padding:b stride_w:i stride_h:i filter_width:i filter_height:i fused_activation_function:b",
    "SVDFOptions": "rank:i fused_activation_function:b asymmetric_quantize_inputs:?",
    "RNNOptions": "fused_activation_function:b asymmetric_quantize_inputs:?",
    "SequenceRNNOptions": "time_major:? fused_activation_function:b asymmetric_quantize_inputs:?",
    "BidirectionalSequenceRNNOptions": (
        "time_major:? fused_activation_function:b merge_outputs:? asymmetric_quantize_inputs:?"
    ),
    "LSTMOptions": ("fused_activation_function:b cell_clip:f proj_clip:f kernel_type:b asymmetric_quantize_inputs:?"),
    "UnidirectionalSequenceLSTMOptions": (
        "fused_activation_function:b cell_clip:f proj_clip:f time_major:? asymmetric_quantize_inputs:? "
        "diagonal_recurrent_tensors:?"
    ),
    "BidirectionalSequenceLSTMOptions": (
        "fused_activation_function:b cell_clip:f proj_clip:f merge_outputs:? time_major:?=1 "
        "asymmetric_quantize_inputs:?"
    ),
    "FullyConnectedOptions": (
        "fused_activation_function:b weights_format:b keep_num_dims:? asymmetric_quantize_inputs:? "
        "quantized_bias_type:b quant_spec:bytes"
    ),
    "BatchMatMulOptions": "adj_x:? adj_y:? asymmetric_quantize_inputs:?",
    "SoftmaxOptions": "beta:f",
    "ConcatenationOptions": "axis:i fused_activation_function:b",
    "AddOptions": "fused_activation_function:b pot_scale_int16:?=1",
    "SubOptions": "fused_activation_function:b pot_scale_int16:?=1",
    "MulOptions": "fused_activation_function:b",
    "DivOptions": "fused_activation_function:b",
    "L2NormOptions": "fused_activation_function:b",
    "LocalResponseNormalizationOptions": "radius:i bias:f alpha:f beta:f",
    "ResizeBilinearOptions": "-:- -:- align_corners:? half_pixel_centers:?",
    "ResizeNearestNeighborOptions": "align_corners:? half_pixel_centers:?",
    "ReshapeOptions": "new_shape:[i]",
    "SpaceToDepthOptions": "block_size:i",
    "DepthToSpaceOptions": "block_size:i",
    "GatherOptions": "axis:i batch_dims:i",
    "ReducerOptions": "keep_dims:?",
    "SqueezeOptions": "squeeze_dims:[i]",
    "SplitOptions": "num_splits:i",
    "SplitVOptions": "num_splits:i",
    "StridedSliceOptions": ("begin_mask:i end_mask:i ellipsis_mask:i new_axis_mask:i shrink_axis_mask:i offset:?"),
    "CastOptions": "in_data_type:b out_data_type:b",
    "ArgMaxOptions": "output_type:b",
    "ArgMinOptions": "output_type:b",
    "TransposeConvOptions": ("padding:b stride_w:i stride_h:i fused_activation_function:b quantized_bias_type:b"),
    "ShapeOptions": "out_type:b",
    "FakeQuantOptions": "min:f max:f num_bits:i narrow_range:?",
    "PackOptions": "values_count:i axis:i",
    "UnpackOptions": "num:i axis:i",
    "OneHotOptions": "axis:i",
    "LeakyReluOptions": "alpha:f",
    "MirrorPadOptions": "mode:b",
    "ReverseSequenceOptions": "seq_dim:i batch_dim:i",
    "IfOptions": "then_subgraph_index:i else_subgraph_index:i",
    "WhileOptions": "cond_subgraph_index:i body_subgraph_index:i",
    "CallOnceOptions": "init_subgraph_index:i",
    "CumsumOptions": "exclusive:? reverse:?",
    "VarHandleOptions": "container:text shared_name:text",
    "GeluOptions": "approximate:?",
    "UniqueOptions": "idx_out_type:b=2",
    "RandomOptions": "seed:q seed2:q",
    "BucketizeOptions": "boundaries:[f]",
    "SparseToDenseOptions": "validate_indices:?",
} | dict.fromkeys(_TABLES_WITHOUT_FIELDS.split(), "")

_BUILTIN_OPTIONS = """
    Conv2D DepthwiseConv2D ConcatEmbeddings LSHProjection Pool2D SVDF RNN FullyConnected Softmax Concatenation Add
    L2Norm LocalResponseNormalization LSTM ResizeBilinear Call Reshape SkipGram SpaceToDepth EmbeddingLookupSparse
    Mul Pad Gather BatchToSpaceND SpaceToBatchND Transpose Reducer Sub Div Squeeze SequenceRNN StridedSlice Exp
    TopKV2 Split LogSoftmax Cast Dequantize MaximumMinimum ArgMax Less Neg PadV2 Greater GreaterEqual LessEqual
    Select Slice TransposeConv SparseToDense Tile ExpandDims Equal NotEqual Shape Pow ArgMin FakeQuant Pack
    LogicalOr OneHot LogicalAnd LogicalNot Unpack FloorDiv Square ZerosLike Fill BidirectionalSequenceLSTM
    BidirectionalSequenceRNN UnidirectionalSequenceLSTM FloorMod Range ResizeNearestNeighbor LeakyRelu
    SquaredDifference MirrorPad Abs SplitV Unique ReverseV2 AddN GatherNd Cos Where Rank ReverseSequence
    MatrixDiag Quantize MatrixSetDiag HardSwish If While DepthToSpace NonMaxSuppressionV4 NonMaxSuppressionV5
    ScatterNd SelectV2 Densify SegmentSum BatchMatMul Cumsum CallOnce BroadcastTo Rfft2d Conv3D Hashtable
    HashtableFind HashtableImport HashtableSize VarHandle ReadVariable AssignVariable Random Bucketize Gelu
    DynamicUpdateSlice UnsortedSegmentProd UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentSum ATan2 Sign
    Bitcast BitwiseXor RightShift
"""

_BUILTIN_OPTIONS_2 = """
    StablehloConcatenate StablehloBroadcastInDim StablehloSlice StablehloConvolution StablehloCustomCall
    StablehloReduce StablehloScatter StablehloCompare StablehloDynamicSlice StablehloPad StablehloIota
    StablehloDotGeneral StablehloReduceWindow StablehloSort StablehloWhile StablehloGather StablehloTranspose Dilate
    StablehloRngBitGenerator ReduceWindow StableHLOComposite StablehloShiftLeft StablehloCase
"""

# The tables of each union by number, from 1 on; not every one is described above.
UNIONS: dict[str, tuple[str, ...]] = {
    "BuiltinOptions": tuple(f"{name}Options" for name in _BUILTIN_OPTIONS.split()),
    "BuiltinOptions2": tuple(f"{name}Options" for name in _BUILTIN_OPTIONS_2.split()),
    "QuantizationDetails": ("CustomQuantization", "BlockwiseQuantization", "MultiAxisQuantization"),
}

_BUILTIN_OPERATORS = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
    FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
    LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH
    SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN
    GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM
    STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM
    CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN
    TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN
    FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV
    REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE
    MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG
    QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND
    SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO
    RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
    CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE
    RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX
    UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC
    STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP
    STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL
    STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR
    STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER
    STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE
    STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA
    STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER
    STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT
    STABLEHLO_CBRT STABLEHLO_CASE
"""

# The built-in operators by number.
BUILTIN_OPERATORS: tuple[str, ...] = tuple(_BUILTIN_OPERATORS.split())
