package com.example.earproof

import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.ZipInputStream

/** An array of NumPy: its shape, and its values in C order. */
class NpyArray(val shape: List<Int>, val values: DoubleArray) {
    /** Row `number` of a table. */
    fun row(number: Int): FloatArray {
        val width = values.size / shape[0]
        return FloatArray(width) { values[number * width + it].toFloat() }
    }
}

/** Read the float arrays of an `.npz` file by name. */
fun readNpz(stream: InputStream): Map<String, NpyArray> = ZipInputStream(stream).use { zip ->
    generateSequence { zip.nextEntry }.associate { it.name.removeSuffix(".npy") to readNpy(zip.readBytes()) }
}

private fun readNpy(content: ByteArray): NpyArray {
    val buffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN)
    buffer.position(8) // "\x93NUMPY" and the version
    val header = ByteArray(buffer.short.toInt()).also { buffer.get(it) }.toString(Charsets.US_ASCII)
    require("'fortran_order': False" in header) { "the array is $header; expected C order" }
    val shape = header.substringAfter("'shape': (").substringBefore(')').split(',').map { it.trim() }
        .filter { it.isNotEmpty() }.map { it.toInt() }
    val size = shape.fold(1) { one, other -> one * other }
    val values = when {
        "'<f4'" in header -> DoubleArray(size) { buffer.float.toDouble() }
        "'<f8'" in header -> DoubleArray(size) { buffer.double }
        else -> throw IllegalArgumentException("the array is $header; expected <f4 or <f8")
    }
    return NpyArray(shape, values)
}
