package com.example.earproof

import android.content.Context
import java.nio.ByteBuffer
import java.security.MessageDigest

/** The model in the assets, in a buffer as MediaPipe takes it, after checking that it is the file of SoundModel.kt. */
fun readModel(context: Context): ByteBuffer {
    val content = context.assets.open(SoundModel.FILE).use { it.readBytes() }
    checkModel(content)
    val buffer = ByteBuffer.allocateDirect(content.size)
    buffer.put(content)
    buffer.rewind()
    return buffer
}

/** Refuse another file than that of SoundModel.kt: its labels or thresholds may be others. */
fun checkModel(content: ByteArray) {
    val digest = MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }
    check(digest == SoundModel.SHA256) {
        "${SoundModel.FILE} in the assets has ${content.size} bytes and SHA-256 $digest; SoundModel.kt was made of a " +
            "file with ${SoundModel.SIZE_BYTES} bytes and ${SoundModel.SHA256}. Copy that file into the assets, or " +
            "make SoundModel.kt again with: earproof metadata kotlin"
    }
}
