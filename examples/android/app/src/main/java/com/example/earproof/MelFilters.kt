package com.example.earproof

/** A triangle of the mel scale: its weights from frequency number `first` on. */
class MelFilter(val first: Int, val weights: DoubleArray)

// Slaney's mel scale: linear below 1 kHz, logarithmic above.
private const val HZ_PER_MEL = 200.0 / 3.0
private const val BREAK_HZ = 1000.0
private const val BREAK_MEL = BREAK_HZ / HZ_PER_MEL
private val LOG_STEP = Math.log(6.4) / 27.0

/** The mel filters of a front end, equal to `librosa.filters.mel`; none of an STFT. */
fun melFilters(settings: SoundModel.FrontEnd, sampleRate: Int): List<MelFilter> {
    val isHtk = settings.melScale == "htk"
    val low = hzToMel(settings.fmin, isHtk)
    val step = (hzToMel(settings.fmax, isHtk) - low) / (settings.nMels + 1)
    val hzPerBin = sampleRate.toDouble() / settings.nFft
    return List(settings.nMels) { band ->
        val left = melToHz(low + step * band, isHtk)
        val centre = melToHz(low + step * (band + 1), isHtk)
        val right = melToHz(low + step * (band + 2), isHtk)
        val height = if (settings.melNorm == "slaney") 2.0 / (right - left) else 1.0
        val first = Math.ceil(left / hzPerBin).toInt()
        val last = minOf(settings.nFft / 2, Math.floor(right / hzPerBin).toInt())
        MelFilter(first, DoubleArray(maxOf(0, last - first + 1)) {
            val hz = (first + it) * hzPerBin
            height * maxOf(0.0, minOf((hz - left) / (centre - left), (right - hz) / (right - centre)))
        })
    }
}

private fun hzToMel(hz: Double, isHtk: Boolean): Double = when {
    isHtk -> 2595.0 * Math.log10(1.0 + hz / 700.0)
    hz < BREAK_HZ -> hz / HZ_PER_MEL
    else -> BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP
}

private fun melToHz(mel: Double, isHtk: Boolean): Double = when {
    isHtk -> 700.0 * (Math.pow(10.0, mel / 2595.0) - 1.0)
    mel < BREAK_MEL -> HZ_PER_MEL * mel
    else -> BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL))
}
