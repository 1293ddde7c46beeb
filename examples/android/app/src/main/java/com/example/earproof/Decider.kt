package com.example.earproof

/** What one tick told: the smoothed scores, and the places of the labels that are on. */
class Decision(val scores: DoubleArray, val on: List<Int>)

/**
 * From the scores of one tick after the other to the labels that are on, as `earproof listen` does it.
 *
 * Scores are averaged over the last ticks. A label comes on at its threshold and goes off below four fifths of it.
 * Ticks at which zeros still fill half of the ring buffer count for nothing.
 */
class Decider(
    thresholds: List<Double>,
    private val oneAtATime: Boolean,
    private val windowLength: Int,
    numSmoothed: Int
) {
    // In single precision, as scores are: one of 0.7 shall reach a threshold of 0.7.
    private val onFrom = FloatArray(thresholds.size) { thresholds[it].toFloat() }
    private val offBelow = FloatArray(thresholds.size) { (OFF_SHARE * thresholds[it]).toFloat() }
    private val last = Array(numSmoothed) { FloatArray(thresholds.size) }
    private var numTicks = 0
    private var on = emptyList<Int>()

    /** Take the scores of the next tick, at which so many samples had come since the microphone was opened. */
    fun push(scores: FloatArray, numSamples: Long): Decision {
        require(scores.size == onFrom.size && scores.none { it.isNaN() }) {
            "the scores are ${scores.toList()}; expected ${onFrom.size} numbers, one a label"
        }
        if (2 * numSamples <= windowLength) {
            return Decision(DoubleArray(scores.size) { scores[it].toDouble() }, emptyList())
        }
        last[numTicks++ % last.size] = scores.copyOf()
        val smoothed = DoubleArray(scores.size) { mean(it) }
        on = labelsOn(FloatArray(smoothed.size) { smoothed[it].toFloat() })
        return Decision(smoothed, on)
    }

    private fun mean(label: Int): Double {
        val count = minOf(numTicks, last.size)
        var sum = 0.0
        for (tick in numTicks - count until numTicks) {
            sum += last[tick % last.size][label].toDouble()
        }
        return sum / count
    }

    private fun labelsOn(scores: FloatArray): List<Int> {
        val stay = on.filter { scores[it] >= offBelow[it] }
        if (!oneAtATime) {
            return scores.indices.filter { it in stay || scores[it] >= onFrom[it] }
        }
        val best = highest(scores)
        return if (scores[best] >= onFrom[best]) listOf(best) else stay
    }

    companion object {
        const val SMOOTH_SECONDS = 1.5
        const val OFF_SHARE = 0.8

        /** For the model whose constants are in SoundModel.kt. */
        fun forModel(): Decider {
            val numSmoothed = Math.rint(SMOOTH_SECONDS * SoundModel.SAMPLE_RATE / SoundModel.TICK_LENGTH).toInt()
            return Decider(
                SoundModel.THRESHOLDS, SoundModel.ONE_AT_A_TIME, SoundModel.WINDOW_LENGTH, maxOf(1, numSmoothed)
            )
        }
    }
}

/** The place of the highest value, of equal ones the first. */
fun highest(values: FloatArray): Int {
    var best = 0
    for (place in values.indices) {
        if (values[place] > values[best]) best = place
    }
    return best
}
