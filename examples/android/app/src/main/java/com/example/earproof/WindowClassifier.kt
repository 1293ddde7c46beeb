package com.example.earproof

import java.io.Closeable

/** A model that scores one window at a time. */
interface WindowClassifier : Closeable {
    /** The scores of SoundModel.WINDOW_LENGTH samples, oldest first, in the order of SoundModel.LABELS. */
    fun scores(window: FloatArray): FloatArray
}

/** Scores from 0 to 1 of what a model puts out; `transform` is SoundModel.SCORE_TRANSFORM. */
fun toScores(values: FloatArray, transform: String): FloatArray {
    val wide = DoubleArray(values.size) { values[it].toDouble() }
    val scores = when (transform) {
        "none" -> wide
        "exp" -> DoubleArray(wide.size) { Math.exp(wide[it]) }
        "sigmoid" -> DoubleArray(wide.size) { 1.0 / (1.0 + Math.exp(-wide[it])) }
        "softmax" -> softmax(wide)
        else -> throw IllegalArgumentException("SCORE_TRANSFORM is $transform; expected none, exp, softmax or sigmoid")
    }
    return FloatArray(scores.size) { scores[it].toFloat() }
}

private fun softmax(values: DoubleArray): DoubleArray {
    val highest = values.fold(Double.NEGATIVE_INFINITY) { one, other -> maxOf(one, other) }
    val powers = DoubleArray(values.size) { Math.exp(values[it] - highest) }
    val sum = powers.sum()
    return DoubleArray(values.size) { powers[it] / sum }
}
