package android.media

/** A microphone that hears `heard`, a piece at a time, and then breaks. */
class AudioRecord(source: Int, sampleRate: Int, channels: Int, encoding: Int, bufferBytes: Int) {
    val state = STATE_INITIALIZED
    private var place = 0

    init {
        opened = listOf(source, sampleRate, channels, encoding, bufferBytes)
    }

    fun startRecording() {}

    fun read(audioData: FloatArray, offsetInFloats: Int, sizeInFloats: Int, readMode: Int): Int {
        require(readMode == READ_BLOCKING)
        val count = minOf(PIECE, sizeInFloats, heard.size - place)
        if (count == 0) return ERROR_DEAD_OBJECT
        heard.copyInto(audioData, offsetInFloats, place, place + count)
        place += count
        return count
    }

    fun stop() {}

    fun release() {}

    companion object {
        const val STATE_INITIALIZED = 1
        const val READ_BLOCKING = 0
        const val ERROR_DEAD_OBJECT = -6
        private const val PIECE = 1234
        var heard = FloatArray(0)
        var opened = emptyList<Int>()

        @JvmStatic
        fun getMinBufferSize(sampleRate: Int, channels: Int, encoding: Int): Int = sampleRate + channels + encoding
    }
}
