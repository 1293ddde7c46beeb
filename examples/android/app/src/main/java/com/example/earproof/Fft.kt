package com.example.earproof

/** A fast Fourier transform in place, of a length that is a power of two. */
class Fft(private val length: Int) {
    private val cosines = DoubleArray(length / 2) { Math.cos(2.0 * Math.PI * it / length) }
    private val sines = DoubleArray(length / 2) { Math.sin(2.0 * Math.PI * it / length) }

    init {
        require(length >= 2 && length and (length - 1) == 0) { "n_fft is $length; this code takes powers of two" }
    }

    fun transform(real: DoubleArray, imaginary: DoubleArray) {
        reverseBits(real, imaginary)
        var half = 1
        while (half < length) {
            for (start in 0 until length step 2 * half) {
                for (place in 0 until half) {
                    butterfly(real, imaginary, start + place, start + place + half, place * (length / (2 * half)))
                }
            }
            half *= 2
        }
    }

    private fun butterfly(real: DoubleArray, imaginary: DoubleArray, upper: Int, lower: Int, angle: Int) {
        val turnedReal = real[lower] * cosines[angle] + imaginary[lower] * sines[angle]
        val turnedImaginary = imaginary[lower] * cosines[angle] - real[lower] * sines[angle]
        real[lower] = real[upper] - turnedReal
        imaginary[lower] = imaginary[upper] - turnedImaginary
        real[upper] += turnedReal
        imaginary[upper] += turnedImaginary
    }

    private fun reverseBits(real: DoubleArray, imaginary: DoubleArray) {
        var reversed = 0
        for (place in 0 until length) {
            if (place < reversed) {
                real[place] = real[reversed].also { real[reversed] = real[place] }
                imaginary[place] = imaginary[reversed].also { imaginary[reversed] = imaginary[place] }
            }
            var bit = length / 2
            while (bit >= 1 && reversed and bit != 0) {
                reversed = reversed xor bit
                bit /= 2
            }
            reversed = reversed or bit
        }
    }
}
