package com.example.earproof

import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * A microphone stream of `earproof bundle`, and the scores that the file gave at each tick elsewhere.
 *
 * `open` gives a file of the unpacked bundle.
 */
class GoldenStream(open: (String) -> InputStream) {
    val files = BundledFiles(open("manifest.json").use { it.readBytes() }.toString(Charsets.UTF_8), SoundModel.FILE)
    private val shorts = wavSamples(open(files.stream).use { it.readBytes() })
    private val ticks = readNpz(open(files.expected))
    private val times = ticks.getValue("times_seconds").values
    private val expected = ticks.getValue("scores")

    val numTicks = times.size

    /** What the ring buffer holds at each tick, as AudioRecord would have filled it with floats. */
    fun windows(): Sequence<FloatArray> {
        val ring = RingBuffer(SoundModel.WINDOW_LENGTH)
        return times.asSequence().map { seconds ->
            // Rounded first: 0.3 s at 16 kHz is 4799.999999999999 in floating point.
            val due = Math.floor(Math.rint(seconds * SoundModel.SAMPLE_RATE * 1e6) / 1e6).toInt()
            val from = ring.numLoaded.toInt()
            ring.load(FloatArray(minOf(due, shorts.size) - from) { shorts[from + it] / 32768f })
            ring.window()
        }
    }

    /** Say how scores of all ticks differ from those elsewhere beyond the limits of parity level 5; null: they do not. */
    fun difference(scores: List<FloatArray>): String? {
        if (scores.size != numTicks) return "there are ${scores.size} ticks; expected $numTicks"
        var farthest = 0.0f
        var numOther = 0
        for (tick in scores.indices) {
            val golden = expected.row(tick)
            for (label in golden.indices) {
                farthest = Math.max(farthest, Math.abs(golden[label] - scores[tick][label])) // stays NaN
            }
            if (decision(golden) != decision(scores[tick])) numOther++
        }
        val isFloat = SoundModel.RECIPE == "float32" || SoundModel.RECIPE == "float16"
        val mayDiffer = if (isFloat) 0 else maxOf(1, (numTicks * MAX_OTHER_SHARE).toInt())
        if (numOther <= mayDiffer && farthest <= (if (isFloat) MAX_FLOAT_ERROR else 1.0f)) return null
        return "$numOther of $numTicks decisions differ, expected at most $mayDiffer; the largest difference of a " +
            "score is $farthest" + if (isFloat) ", expected at most $MAX_FLOAT_ERROR" else ""
    }

    private fun decision(scores: FloatArray): List<Int> =
        if (SoundModel.ONE_AT_A_TIME) listOf(highest(scores))
        else scores.indices.filter { scores[it] >= SoundModel.THRESHOLDS[it].toFloat() }

    private companion object {
        const val MAX_FLOAT_ERROR = 1e-5f
        const val MAX_OTHER_SHARE = 0.005 // integer kernels of two processors round differently
    }
}

/** The samples of a 16-bit WAV file with one channel at the model's rate. */
fun wavSamples(content: ByteArray): ShortArray {
    val buffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN)
    buffer.position(12) // RIFF, size, WAVE
    while (true) {
        val name = ByteArray(4).also { buffer.get(it) }.toString(Charsets.US_ASCII)
        val size = buffer.int
        if (name == "data") return ShortArray(size / 2) { buffer.short }
        if (name == "fmt ") {
            val (channels, rate) = Pair(buffer.getShort(buffer.position() + 2), buffer.getInt(buffer.position() + 4))
            require(channels.toInt() == 1 && rate == SoundModel.SAMPLE_RATE) {
                "the stream has $channels channels at $rate Hz; expected 1 at ${SoundModel.SAMPLE_RATE} Hz"
            }
        }
        buffer.position(buffer.position() + size + size % 2)
    }
}
