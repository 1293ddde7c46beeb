package com.example.earproof

import android.annotation.SuppressLint
import android.media.AudioFormat
import android.media.AudioRecord
import android.media.MediaRecorder
import java.io.Closeable

/**
 * The microphone at the model's rate: float samples from -1 to 1, one channel.
 *
 * VOICE_RECOGNITION is the source that MediaPipe takes too: most phones leave its gain alone.
 */
@SuppressLint("MissingPermission") // MainActivity asks for it
class Microphone : Closeable {
    private val record = AudioRecord(
        MediaRecorder.AudioSource.VOICE_RECOGNITION,
        SoundModel.SAMPLE_RATE,
        AudioFormat.CHANNEL_IN_MONO,
        AudioFormat.ENCODING_PCM_FLOAT,
        bufferBytes()
    )

    init {
        check(record.state == AudioRecord.STATE_INITIALIZED) {
            "the microphone does not open with ${SoundModel.SAMPLE_RATE} Hz; may the app record?"
        }
        record.startRecording()
    }

    /** Wait until `samples` is full of what the microphone heard since the last call. */
    fun read(samples: FloatArray) {
        var filled = 0
        while (filled < samples.size) {
            val count = record.read(samples, filled, samples.size - filled, AudioRecord.READ_BLOCKING)
            check(count > 0) { "the microphone gave $count; expected samples" }
            filled += count
        }
    }

    override fun close() {
        record.stop()
        record.release()
    }

    /** Twice the model's input: what a slow tick leaves waiting is not lost. */
    private fun bufferBytes(): Int {
        val least = AudioRecord.getMinBufferSize(
            SoundModel.SAMPLE_RATE, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_FLOAT
        )
        return maxOf(least, 2 * SoundModel.WINDOW_LENGTH * FLOAT_BYTES)
    }

    private companion object {
        const val FLOAT_BYTES = 4
    }
}
