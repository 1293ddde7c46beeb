package com.example.earproof

/**
 * The newest samples of a stream, as many as the model takes; zeros until so many have come.
 *
 * The same as the ring buffer of MediaPipe's AudioData, which can only be read as a whole too.
 */
class RingBuffer(private val length: Int) {
    private val ring = FloatArray(length)
    private var next = 0 // where the next sample goes, and so where the oldest one lies

    /** Samples that were ever loaded. */
    var numLoaded = 0L
        private set

    /** Append float samples from -1 to 1; of more than fit only the newest are kept. */
    fun load(samples: FloatArray, count: Int = samples.size) {
        for (place in maxOf(0, count - length) until count) {
            ring[next] = samples[place]
            next = (next + 1) % length
        }
        numLoaded += count
    }

    /** Append 16-bit samples. MediaPipe and the Task library divide them by 32767, AudioRecord's own floats by 32768. */
    fun load(samples: ShortArray, count: Int = samples.size) {
        load(FloatArray(count) { samples[it] / Short.MAX_VALUE.toFloat() })
    }

    /** All samples, oldest first. */
    fun window(): FloatArray = FloatArray(length) { ring[(next + it) % length] }
}
