package com.example.earproof

import kotlin.concurrent.thread

/** Hears the microphone on a thread of its own and tells each decision there. */
class SoundListener(
    private val openClassifier: () -> WindowClassifier,
    private val tell: (Decision) -> Unit,
    private val fail: (Exception) -> Unit
) {
    @Volatile
    private var isRunning = true

    fun start() {
        thread(name = "sound listener") {
            try {
                openClassifier().use { classifier -> Microphone().use { microphone -> listen(classifier, microphone) } }
            } catch (error: Exception) {
                fail(error)
            }
        }
    }

    /** Ends after the tick that is under way; make a new listener to go on. */
    fun stop() {
        isRunning = false
    }

    private fun listen(classifier: WindowClassifier, microphone: Microphone) {
        val ring = RingBuffer(SoundModel.WINDOW_LENGTH)
        val decider = Decider.forModel()
        val newest = FloatArray(SoundModel.TICK_LENGTH)
        while (isRunning) {
            microphone.read(newest)
            ring.load(newest)
            tell(decider.push(classifier.scores(ring.window()), ring.numLoaded))
        }
    }
}
