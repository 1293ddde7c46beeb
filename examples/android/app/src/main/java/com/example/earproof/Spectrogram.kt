package com.example.earproof

/**
 * The front end of a model that takes a spectrogram: equal to librosa's and JLibrosa's, computed in double precision.
 *
 * `n_fft` must be a power of two.
 */
class Spectrogram(private val settings: SoundModel.FrontEnd, sampleRate: Int, private val windowLength: Int) {
    private val fft = Fft(settings.nFft)
    private val numBins = 1 + settings.nFft / 2
    private val hann = hannWindow(settings.winLength, settings.nFft)
    private val filters = melFilters(settings, sampleRate)
    private val before = if (settings.padMode == "none") (settings.nFft - settings.winLength) / 2 else settings.nFft / 2
    private val after = if (settings.padMode == "none") settings.nFft - settings.winLength - before else before

    /** Bands, or frequencies where there are no mel bands. */
    val numBands = if (settings.nMels > 0) settings.nMels else numBins
    val numFrames = 1 + (windowLength + before + after - settings.nFft) / settings.hopLength

    /** The spectrogram of a window, one band after the other, numFrames values each: what the model's input holds. */
    fun compute(window: FloatArray): FloatArray {
        require(window.size == windowLength) { "the window has ${window.size} samples; the model takes $windowLength" }
        val padded = DoubleArray(before + windowLength + after) { padded(window, it - before) }
        val result = FloatArray(numBands * numFrames)
        for (frame in 0 until numFrames) {
            val bands = bands(powers(padded, frame * settings.hopLength))
            for (band in bands.indices) {
                result[band * numFrames + frame] = compressed(bands[band]).toFloat()
            }
        }
        return result
    }

    private fun padded(window: FloatArray, place: Int): Double {
        val reflected = if (place < 0) -place else if (place < windowLength) place else 2 * windowLength - 2 - place
        val isInside = place in 0 until windowLength
        return if (isInside || settings.padMode == "reflect") window[reflected].toDouble() else 0.0
    }

    private fun powers(padded: DoubleArray, start: Int): DoubleArray {
        val real = DoubleArray(settings.nFft) { padded[start + it] * hann[it] }
        val imaginary = DoubleArray(settings.nFft)
        fft.transform(real, imaginary)
        return DoubleArray(numBins) {
            val power = real[it] * real[it] + imaginary[it] * imaginary[it]
            if (settings.power == 2.0) power else Math.pow(power, settings.power / 2.0)
        }
    }

    private fun bands(powers: DoubleArray): DoubleArray {
        if (filters.isEmpty()) return powers
        return DoubleArray(filters.size) { band ->
            val filter = filters[band]
            var sum = 0.0
            for (bin in filter.weights.indices) {
                sum += filter.weights[bin] * powers[filter.first + bin]
            }
            sum
        }
    }

    private fun compressed(value: Double): Double = when (if (settings.nMels > 0) settings.log else "none") {
        "log10" -> Math.log10(maxOf(value, settings.logFloor))
        "ln_plus" -> Math.log(value + settings.logFloor)
        else -> value
    }
}

/** The periodic Hann window of so many samples, centred in `nFft`. */
private fun hannWindow(winLength: Int, nFft: Int): DoubleArray {
    val left = (nFft - winLength) / 2
    return DoubleArray(nFft) {
        val place = it - left
        if (place in 0 until winLength) 0.5 - 0.5 * Math.cos(2.0 * Math.PI * place / winLength) else 0.0
    }
}
